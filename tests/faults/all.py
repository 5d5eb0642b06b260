"""Every fault, in order."""

from tests.faults import api, crashes, events, hostile, refusals, servers
from tests.faults.fault import Fault

ALL: tuple[Fault, ...] = (
    *crashes.FAULTS,
    *servers.FAULTS,
    *api.FAULTS,
    *events.FAULTS,
    *refusals.FAULTS,
    *hostile.FAULTS,
)
