"""Events that were removed from a stream before they were applied are counted."""

from typing import Any

import pytest

from state.errors import StateError
from state.keys import applied_of
from tests.support.events import JANE, event
from tests.support.future_ids import poison, read_and_apply
from tests.support.ingest_support import ingest_of, publish
from tests.support.stored_state import texts
from worker.runtime import State


def producer_trims(state: State, events: int, *, maxlen: int = 0) -> None:
    for _ in range(events):
        publish(state, event(customer=JANE))
    client: Any = state.client
    client.execute_command("XTRIM", state.keys.events, "MAXLEN", maxlen)


def test_events_that_are_applied_are_not_lost(state: State) -> None:
    for _ in range(3):
        read_and_apply(state)
        assert state.streams.check() == 0


def test_events_applied_before_the_count_began_are_not_lost(state: State) -> None:
    read_and_apply(state)
    state.client.delete(applied_of(state.keys.events))
    assert state.streams.check() == 0


def test_stream_of_waiting_events_has_lost_none(state: State) -> None:
    read_and_apply(state)
    state.streams.check()
    publish(state, event(), event())
    ingest = ingest_of(state)
    assert state.streams.check() == 0
    ingest.step()
    assert state.streams.check() == 0


def test_events_trimmed_unread_are_counted_as_lost(state: State) -> None:
    state.streams.first.create_group()
    read_and_apply(state)
    assert state.streams.check() == 0
    producer_trims(state, 5, maxlen=1)
    assert state.streams.check() == 4
    ingest_of(state).step()
    read_and_apply(state)
    assert state.streams.check() == 0
    assert texts(state, state.keys.sweep)["lost"] == "4"


def test_events_lost_between_two_reads_are_counted_later(state: State) -> None:
    read_and_apply(state)
    state.streams.check()
    producer_trims(state, 2)
    read_and_apply(state)
    assert state.streams.check() == 2


def test_events_removed_in_flight_are_not_lost(state: State) -> None:
    read_and_apply(state)
    state.streams.check()
    publish(state, event(), event())
    held = state.streams.first.read("c", count=9, block_ms=1)
    state.client.xtrim(state.keys.events, maxlen=0, approximate=False)
    state.streams.first.acknowledge([entry.id for entry in held])
    assert state.streams.check() == 0


def test_deleted_stream_begins_its_counts_from_scratch(state: State) -> None:
    read_and_apply(state)
    state.streams.check()
    state.client.delete(state.keys.events)
    assert state.streams.check() == 0
    state.streams.first.create_group()
    read_and_apply(state)
    assert state.streams.check() == 0
    producer_trims(state, 2)
    assert state.streams.check() == 2


def test_losses_of_every_stream_are_added_up(state: State) -> None:
    state.streams.ensure(2)
    for place in range(2):
        publish(state, event(), stream=place)
    state.streams.check()
    for place in range(2):
        state.client.xtrim(state.keys.events_of(place), maxlen=0, approximate=False)
    assert state.streams.check() == 2


def test_count_of_applied_entries_lies_in_the_slot_of_its_stream() -> None:
    assert applied_of("winback:events:1") == "winback:applied:{winback:events:1}"


def test_exhausted_stream_is_an_error_of_its_own(real_state: State) -> None:
    poison(real_state, "highest")
    with pytest.raises((StateError, Exception), match="exhausted"):
        publish(real_state, event())
