"""Guards of ingest, each by a test of its own."""

from tests.support.events import event
from tests.support.ingest_support import Stubborn, ingest_of, publish, rest, restart_until_done, waiting
from tests.support.stored_state import stored
from worker.runtime import State


def test_entry_is_quarantined_only_after_failing_by_itself(state: State) -> None:
    publish(state, event(session="poison"), event())
    assert restart_until_done(state, Stubborn(state), max_deliveries=1) == 2
    assert stored(state).activity


def test_entries_of_a_dead_consumer_are_applied_once_found(state: State) -> None:
    ingest = ingest_of(state)
    ingest.step()
    publish(state, event())
    state.streams.first.read("dead", count=1, block_ms=1)
    rest(state, "dead")
    ingest._recovery._checked_at_s = 0.0
    ingest.step()
    assert waiting(state) == 0
    assert stored(state).activity
