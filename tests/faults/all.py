"""Every fault, in order."""

from tests.faults import api, crashes, events, servers, silent, takeovers
from tests.faults.fault import Fault

ALL: tuple[Fault, ...] = (
    *crashes.FAULTS,
    *servers.FAULTS,
    *api.FAULTS,
    *events.FAULTS,
    *takeovers.FAULTS,
    *silent.FAULTS,
)
