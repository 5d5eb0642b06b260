"""Every fault, in order."""

from tests.faults import api, crashes, events, servers, silent
from tests.faults.fault import Fault

ALL: tuple[Fault, ...] = (*crashes.FAULTS, *servers.FAULTS, *api.FAULTS, *events.FAULTS, *silent.FAULTS)
