"""An entry that crashes its consumer is quarantined, and no other entry is lost."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

import pytest

from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.pending import Pending
from state.people import People, person_of
from state.person_marks import MarkingResult, Marks, PersonMention
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, event
from tests.support.ingest_support import (
    Breaking,
    Stubborn,
    ingest_of,
    publish,
    rejected,
    rest,
    restart_until_done,
    waiting,
)
from tests.support.states import SECRET
from tests.support.stored_state import stored
from worker.runtime import State

PHONE = JANE["phone_number"]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_poison_entry_is_quarantined_and_its_neighbours_applied(state: State, most: int, place: int) -> None:
    names = ["a", "b", "c", "d"]
    names.insert(place, "poison")
    publish(state, *(event(session=name) for name in names))
    restarts = restart_until_done(state, Stubborn(state), max_deliveries=most)
    assert restarts <= max(most, 2)
    ((field, reason, applied),) = rejected(state)
    assert (field, applied) == ("event", False)
    assert f"delivered {max(most, 2)} times" in reason
    assert all(stored(state, name).activity for name in names if name != "poison")
    assert stored(state, "poison").activity == 0
    assert waiting(state) == 0


def test_several_poison_entries_are_all_quarantined(state: State) -> None:
    names = ["a", "poison", "b", "poison", "poison", "c"]
    publish(state, *(event(session=name) for name in names))
    restart_until_done(state, Stubborn(state), max_deliveries=3)
    assert len(rejected(state)) == 3
    assert all(stored(state, name).activity for name in "abc")


def test_poison_entry_of_a_dead_consumer_is_quarantined(state: State) -> None:
    publish(state, *(event(session=name) for name in ("a", "poison", "b")))
    for number in range(4):
        ingest = ingest_of(state, sessions=Stubborn(state), consumer=f"c-{number}", max_deliveries=3)
        with suppress(StateError):
            ingest.step()
        rest(state, f"c-{number}")
    assert len(rejected(state)) == 1
    assert stored(state, "a").activity
    assert stored(state, "b").activity
    assert waiting(state) == 0


def test_entries_of_a_dead_consumer_are_applied_by_another(state: State) -> None:
    publish(state, event(session="a"), event(session="b"))
    state.streams.first.create_group()
    state.streams.first.read("dead", count=10, block_ms=1)
    rest(state, "dead")
    ingest_of(state, consumer="alive").step()
    assert stored(state, "a").activity
    assert stored(state, "b").activity
    assert waiting(state) == 0


def test_a_consumer_that_is_at_work_keeps_its_entries(state: State) -> None:
    publish(state, event(session="a"))
    state.streams.first.create_group()
    state.streams.first.read("busy", count=10, block_ms=1)
    ingest_of(state, consumer="other").step()
    assert state.streams.first.deliveries("busy") == 1
    assert stored(state, "a").activity == 0


@pytest.mark.parametrize("error", [ServerFullError, ServerUnavailableError])
@pytest.mark.parametrize("waited", [False, True], ids=["at_once", "waited_for"])
def test_temporarily_refused_batch_is_kept_and_not_quarantined(
    state: State,
    error: type[StateError],
    waited: bool,  # noqa: FBT001 - a case
) -> None:
    publish(state, event(session="a"), event(session="b"))
    full = Breaking(state.sessions, "send", error, times=20, waited=waited)
    ingest = ingest_of(state, sessions=full, max_deliveries=3)
    for _ in range(20):
        with pytest.raises(error):
            ingest.step()
        assert state.streams.first.deliveries("one") == 1
    publish(state, event(session="c"))
    ingest.step()
    assert rejected(state) == []
    assert all(stored(state, name).activity for name in "abc")
    assert waiting(state) == 0


def test_marks_are_made_once_however_often_a_full_server_refuses(state: State) -> None:
    publish(state, event("order_completed", customer=JANE))
    calls: list[str] = []

    class Counting(People):
        def send_marks(
            self, named: Iterable[PersonMention], marks: Mapping[str, Marks], *, ask_last_erasure: bool = False
        ) -> Pending[MarkingResult]:
            calls.extend(marks)
            return super().send_marks(named, marks, ask_last_erasure=ask_last_erasure)

    people = Counting(state.scripts, state.keys, longest_limit_ms=1, lease_ms=1, bought_window_ms=HOUR_MS)
    ingest = ingest_of(
        state, people=people, streams=Breaking(state.streams, "send_acknowledge", ServerFullError, times=5)
    )
    for _ in range(5):
        with pytest.raises(ServerFullError):
            ingest.step()
    ingest.step()
    assert calls == [person_of(PHONE, SECRET)] * 6
