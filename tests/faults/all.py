"""All faults, in order."""

from tests.faults import (
    api,
    clocks,
    collected,
    collected_clients,
    collected_clocks,
    collected_spool,
    crashes,
    edits,
    events,
    hostile,
    mixed,
    outcomes,
    refusals,
    servers,
    silent,
    takeovers,
)
from tests.faults.fault import Fault

ALL: tuple[Fault, ...] = (
    *crashes.FAULTS,
    *outcomes.FAULTS,
    *servers.FAULTS,
    *api.FAULTS,
    *events.FAULTS,
    *clocks.FAULTS,
    *edits.FAULTS,
    *refusals.FAULTS,
    *hostile.FAULTS,
    *mixed.FAULTS,
    *takeovers.FAULTS,
    *silent.FAULTS,
    *collected.FAULTS,
    *collected_spool.FAULTS,
    *collected_clocks.FAULTS,
    *collected_clients.FAULTS,
)
