"""How far silence can be measured: by unapplied events, and by the times in which events could be taken."""

import pytest

from state.event_stream import StreamEntry, entry_order
from state.watermark import measured_until
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.stored_state import now_ms, texts
from worker.runtime import State


@pytest.fixture
def filled(state: State) -> State:
    """A group and three unread entries."""
    state.streams.first.create_group()
    for number in range(3):
        add(state, f"e{number}")
    return state


def add(state: State, event: str) -> bytes:
    added: bytes = state.scripts.client.execute_command("XADD", state.keys.events, "*", "event", event)
    return added


def read(state: State, consumer: str = "one", count: int = 10) -> list[StreamEntry]:
    return state.streams.first.read(consumer, count=count, block_ms=1)


# How far silence can be measured


def test_without_waiting_entries_silence_is_measured_until_now(state: State) -> None:
    before_ms = now_ms(state)
    mark = state.streams.watermark()
    assert mark.first == ""
    assert before_ms <= mark.until_ms == mark.now_ms <= now_ms(state)


def test_watermark_is_the_first_unapplied_entry(filled: State) -> None:
    first, second, third = read(filled)
    assert filled.streams.watermark().first == first.id.decode()
    filled.streams.first.acknowledge([second.id])
    assert filled.streams.watermark().first == first.id.decode()
    filled.streams.first.acknowledge([first.id])
    assert filled.streams.watermark().first == third.id.decode()
    filled.streams.first.acknowledge([third.id])
    assert filled.streams.watermark().first == ""


def test_watermark_holds_for_unread_entries(filled: State) -> None:
    mark = filled.streams.watermark()
    assert mark.first
    assert mark.until_ms <= mark.now_ms


@pytest.mark.parametrize(
    ("first", "until_ms"), [("", 1000), ("900-5", 900), ("1000-0", 1000), ("2000-0", 1000), ("2001-0", 0)]
)
def test_future_entry_does_not_move_the_watermark_ahead(first: str, until_ms: int) -> None:
    assert measured_until(1000, first, None) == until_ms


def test_the_last_id_outlives_its_entry(filled: State) -> None:
    last = add(filled, "last")
    filled.streams.first.acknowledge([entry.id for entry in read(filled)])
    assert filled.streams.barrier() == last.decode()


def test_the_last_id_of_no_stream_is_zero(state: State) -> None:
    assert state.streams.barrier() == "0-0"


def test_ids_are_compared_by_number() -> None:
    ids = ["10-10", "100", "9-0", "10-2", "10-0"]
    assert sorted(ids, key=entry_order) == ["9-0", "10-0", "10-2", "10-10", "100"]


# Sweeps, and the time between them


def test_the_first_sweep_knows_of_no_hole(state: State) -> None:
    assert state.streams.open_sweep(0) == 0


def test_sweeps_that_follow_each_other_leave_no_hole(state: State) -> None:
    for _ in range(3):
        assert state.streams.open_sweep(MINUTE_MS) == 0


def test_a_sweep_leaves_behind_when_it_began(state: State) -> None:
    before_ms = now_ms(state)
    state.streams.open_sweep(MINUTE_MS)
    assert before_ms <= int(texts(state, state.keys.sweep)["last"]) <= now_ms(state)


def test_after_a_hole_silence_is_measured_from_the_reopening(state: State) -> None:
    state.streams.open_sweep(MINUTE_MS)
    state.scripts.client.hset(state.keys.sweep, "sign", now_ms(state) - HOUR_MS)
    before_ms = now_ms(state)
    reopened_ms = state.streams.open_sweep(MINUTE_MS)
    assert before_ms <= reopened_ms <= now_ms(state)
    assert state.streams.open_sweep(MINUTE_MS) == reopened_ms


def test_a_sign_between_sweeps_is_no_sweep(state: State) -> None:
    state.streams.open_sweep(MINUTE_MS)
    state.client.hset(state.keys.sweep, mapping={"last": 5, "sign": now_ms(state) - HOUR_MS})
    state.streams.confirm_writable()
    found = texts(state, state.keys.sweep)
    assert (found["last"], found["interval"]) == ("5", str(MINUTE_MS))
    assert now_ms(state) - MINUTE_MS < int(found["reopened"]) <= now_ms(state)


def test_the_last_nine_pauses_are_remembered(state: State) -> None:
    for _ in range(15):
        state.streams.confirm_writable()
    assert len(texts(state, state.keys.sweep)["apart"].split()) == 9
