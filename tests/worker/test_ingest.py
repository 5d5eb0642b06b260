"""Ingest: what is applied is acknowledged, what is not comes again, and it goes on whatever happens."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from detectors.sequence import RANK_NAMES
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.event_stream import StreamBatch
from state.event_streams import Streams
from state.pending import Pending
from state.people import PersonFacts
from state.script import NamedCall
from state.sessions import Change, Mark, Sessions
from tests.support.dumps import dump
from tests.support.events import JANE, event
from tests.support.ingest_support import Breaking, facts_of, ingest_of, publish, rejected, waiting
from tests.support.stored_state import stored, texts
from worker.runtime import State

PHONE = JANE["phone_number"]


def test_what_is_applied_is_acknowledged_and_deleted(state: State) -> None:
    publish(state, event(session="a"), event(session="b"), event(session="a", stage="payment"))
    assert ingest_of(state).step() == 3
    assert stored(state, "a").activity
    assert stored(state, "b").activity
    assert waiting(state) == 0
    assert state.streams.first.deliveries("one") == 0


def test_the_watermark_holds_while_an_event_waits(state: State) -> None:
    publish(state, event(session="a"))
    assert state.streams.watermark().first
    ingest_of(state).step()
    assert state.streams.watermark().first == ""


def test_totals_count_the_work(state: State) -> None:
    publish(state, event(session="a"), event("order_completed", None, customer=JANE, stage=None), {"type": "?"})
    ingest = ingest_of(state)
    ingest.step()
    assert (ingest.totals.entries, ingest.totals.changes, ingest.totals.rejected) == (3, 1, 1)


def test_an_empty_stream_is_no_work(state: State) -> None:
    assert ingest_of(state).step() == 0


# Failing half-way


@pytest.mark.parametrize("error", [ServerUnavailableError, ServerFullError, StateError])
@pytest.mark.parametrize("applied", [False, True])
def test_nothing_is_acknowledged_unless_it_was_applied(
    state: State,
    error: type[StateError],
    applied: bool,  # noqa: FBT001 - a case
) -> None:
    publish(state, event(session="a"), event(session="b"))
    failing = Breaking(state.sessions, "send", error, times=1, after=applied)
    ingest = ingest_of(state, sessions=failing)
    with pytest.raises(error):
        ingest.step()
    assert waiting(state) == 2
    ingest.step()
    assert waiting(state) == 0
    assert stored(state, "a").activity
    assert stored(state, "b").activity


@pytest.mark.parametrize(("part", "method"), [("sessions", "send"), ("people", "send_marks"), ("streams", "reject")])
def test_restart_after_any_failure_repeats_everything(state: State, part: str, method: str) -> None:
    made = (
        event("order_completed", customer=JANE),
        event("opt_out", None, stage=None, customer=JANE),
        {"type": "unheard of"},
    )
    publish(state, *made)
    parts: dict[str, Any] = {part: Breaking(getattr(state, part), method, ServerUnavailableError, times=1)}
    with pytest.raises(ServerUnavailableError):
        ingest_of(state, **parts).step()
    assert waiting(state) == 3
    ingest_of(state).step()
    assert waiting(state) == 0
    assert facts_of(state, PHONE) == PersonFacts(bought=True, opted_out=True)
    assert stored(state).state == "bought"
    assert {field for field, _, _ in rejected(state)} == {"type"}


def test_crash_before_the_acknowledgement_repeats_without_effect(state: State) -> None:
    publish(state, event(customer=JANE), event("exit"), event(stage="payment", cart={"total_value": 3}))
    failing = Breaking(state.streams, "send_acknowledge", ServerUnavailableError, times=1)
    with pytest.raises(ServerUnavailableError):
        ingest_of(state, streams=failing).step()
    before = {key: value for key, value in dump(state).items() if ":session:" in key or ":lane:" in key}
    ingest_of(state).step()
    assert waiting(state) == 0
    assert {key: value for key, value in dump(state).items() if ":session:" in key or ":lane:" in key} == before


def test_order_marks_the_person_before_the_acknowledgement(state: State) -> None:
    seen: list[PersonFacts] = []

    class Watching(Streams):
        def send_acknowledge(self, readings: Iterable[StreamBatch], *, one_read: bool) -> Pending[list[int]]:
            seen.append(facts_of(state, PHONE))
            return super().send_acknowledge(readings, one_read=one_read)

    publish(state, event(customer=JANE), event("order_completed", stage=None))
    ingest_of(state, streams=Watching(state.scripts, state.keys)).step()
    assert seen == [PersonFacts(bought=True)]


def test_order_applied_before_a_crash_still_marks_the_person(state: State) -> None:
    publish(state, event(customer=JANE), event("order_completed", stage=None))
    failing = Breaking(state.people, "send_marks", ServerUnavailableError, times=1)
    with pytest.raises(ServerUnavailableError):
        ingest_of(state, people=failing).step()
    assert stored(state).state == "bought"
    assert facts_of(state, PHONE) == PersonFacts()
    ingest_of(state).step()
    assert facts_of(state, PHONE) == PersonFacts(bought=True)


def test_sessions_are_applied_by_the_partition(state: State) -> None:
    calls: list[int] = []

    class Counting(Sessions):
        def send(self, changes: Sequence[Change], also: Sequence[NamedCall] = ()) -> Pending[list[Mark]]:
            calls.append(len(changes))
            return super().send(changes, also)

    publish(state, *(event(session=f"s-{number}") for number in range(30)))
    ingest_of(state, sessions=Counting(state.scripts, state.keys, RANK_NAMES)).step()
    assert calls == [30]
    assert texts(state, state.keys.session("s-7"))["activity"]


def test_short_settings_are_in_units_of_time(state: State) -> None:
    ingest = ingest_of(state, stale_after=timedelta(seconds=3))
    assert ingest._recovery._redelivery._claim_after_ms == 3000
