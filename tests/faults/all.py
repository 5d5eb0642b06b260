"""Every fault, in order."""

from tests.faults import api, clocks, crashes, events, servers
from tests.faults.fault import Fault

ALL: tuple[Fault, ...] = (*crashes.FAULTS, *servers.FAULTS, *api.FAULTS, *events.FAULTS, *clocks.FAULTS)
