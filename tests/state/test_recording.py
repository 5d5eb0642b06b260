"""Copies of applied entries for the recorder: made in the acknowledgement, limited and counted."""

from typing import Any

from state.event_stream import StreamEntry
from state.keys import applied_of, recording_of
from state.recorder_status import RecorderStatus
from state.recording import Copies, RecorderReport
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.filled_stream import filled, read
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.runtime import State

__all__ = ["filled"]  # a fixture

_TURN_MS = 15_000


def copies_of(state: State, limit: int = 10) -> Copies:
    return Copies(state.scripts, state.keys, state.streams, limit)


def acknowledge(state: State, *, one_read: bool = True) -> list[StreamEntry]:
    entries = read(state)
    state.streams.first.acknowledge([entry.id for entry in entries], one_read=one_read)
    return entries


def copied(state: State) -> list[bytes]:
    return [copy.event for copies in copies_of(state).read(10).values() for copy in copies]


def test_acknowledged_entries_are_copied(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    entries = acknowledge(filled)
    (found,) = copies_of(filled).read(10).values()
    assert [(copy.event, copy.arrival_ms) for copy in found] == [(entry.event, entry.arrival_ms) for entry in entries]
    assert ttl_ms(filled, recording_of(filled.keys.events)) is not None
    assert copies_of(filled).sign(asks=False) == (3, 0)


def test_entries_of_several_reads_are_copied(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    acknowledge(filled, one_read=False)
    assert copied(filled) == [b"e0", b"e1", b"e2"]


def test_nothing_is_copied_before_a_recorder_asks(filled: State) -> None:
    copies_of(filled).sign(asks=False)
    acknowledge(filled)
    assert copied(filled) == []
    assert copies_of(filled).sign(asks=False) == (0, 0)


def test_entries_behind_others_are_copied(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    read(filled, count=1)
    acknowledge(filled)
    assert copied(filled) == [b"e1", b"e2"]


def test_entry_acknowledged_twice_is_copied_once(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    entries = acknowledge(filled)
    filled.streams.first.acknowledge([entry.id for entry in entries])
    assert copied(filled) == [b"e0", b"e1", b"e2"]
    assert copies_of(filled).sign(asks=False).lost == 0


def test_no_copies_are_made_after_the_recorder_is_away(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    filled.client.hset(applied_of(filled.keys.events), "record_until", now_ms(filled) - 1)
    acknowledge(filled)
    assert copied(filled) == []
    assert copies_of(filled).sign(asks=False) == (0, 3)


def test_day_without_a_recorder_ends_the_recording(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    filled.client.hset(applied_of(filled.keys.events), "record_until", now_ms(filled) - DAY_MS - 1000)
    acknowledge(filled)
    assert copies_of(filled).sign(asks=False) == (0, 0)
    assert not filled.client.hexists(applied_of(filled.keys.events), "record_until")


def test_losses_before_the_first_report_have_no_time(state: State) -> None:
    copies_of(state).report(RecorderReport(lost=5))
    assert "lost_at" not in texts(state, state.keys.recorder)


def test_request_far_ahead_of_the_clock_is_over(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    filled.client.hset(applied_of(filled.keys.events), "record_until", now_ms(filled) + 2 * HOUR_MS)
    acknowledge(filled)
    assert copied(filled) == []


def test_full_stream_takes_no_more_and_counts_the_loss(filled: State) -> None:
    copies_of(filled, limit=2).sign(asks=True)
    acknowledge(filled)
    assert copied(filled) == [b"e0", b"e1"]
    assert copies_of(filled).sign(asks=False) == (2, 1)


def large_copies(state: State) -> Copies:
    found = Copies(state.scripts, state.keys, state.streams, limit_bytes=5)
    found.sign(asks=True)
    return found


def test_large_events_take_no_more_and_count_the_loss(filled: State) -> None:
    copies = large_copies(filled)
    acknowledge(filled)
    assert copied(filled) == [b"e0", b"e1"]
    assert copies.sign(asks=False) == (2, 1)


def test_large_events_are_copied_again_after_removal(filled: State) -> None:
    copies = large_copies(filled)
    acknowledge(filled)
    copies.remove(copies.read(1))
    filled.client.xadd(filled.keys.events, {"event": "e3"})
    acknowledge(filled)
    assert copied(filled) == [b"e1", b"e3"]


def test_large_events_are_copied_again_after_copies_expired(filled: State) -> None:
    large_copies(filled)
    acknowledge(filled)
    filled.client.delete(recording_of(filled.keys.events))
    filled.client.xadd(filled.keys.events, {"event": "e3"})
    acknowledge(filled)
    assert copied(filled) == [b"e3"]


def test_entry_with_two_events_is_copied_once(filled: State) -> None:
    copies = copies_of(filled)
    copies.sign(asks=True)
    # Ingest applies the last one.
    twice: list[Any] = ["XADD", filled.keys.events, "*", "event", "e3", "event", "e4"]
    filled.client.execute_command(*twice)  # type: ignore[no-untyped-call]
    acknowledge(filled)
    assert copied(filled) == [b"e0", b"e1", b"e2", b"e4"]
    assert copies.sign(asks=False) == (4, 0)


def test_copies_that_are_refused_do_not_stop_ingest(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    filled.client.set(recording_of(filled.keys.events), "in the way")
    acknowledge(filled)
    assert filled.client.xlen(filled.keys.events) == 0
    filled.client.delete(recording_of(filled.keys.events))
    assert copies_of(filled).sign(asks=False) == (0, 3)


def test_expired_copies_are_counted_as_lost(filled: State) -> None:
    copies_of(filled).sign(asks=True)
    acknowledge(filled)
    filled.client.delete(recording_of(filled.keys.events))
    assert copies_of(filled).sign(asks=False) == (0, 3)


def test_removed_copies_are_recorded(filled: State) -> None:
    copies = copies_of(filled)
    copies.sign(asks=True)
    acknowledge(filled)
    found = copies.read(2)
    copies.remove(found)
    assert copied(filled) == [b"e2"]
    assert copies.sign(asks=False) == (1, 0)


def test_recorded_counts_after_lost_data_report_no_loss(filled: State) -> None:
    filled.client.hset(applied_of(filled.keys.events), "recorded", 7)
    assert copies_of(filled).sign(asks=True) == (0, 0)


def test_one_recorder_has_the_turn(state: State) -> None:
    copies = copies_of(state)
    assert copies.take_turn("a", _TURN_MS)
    assert not copies.take_turn("b", _TURN_MS)


def test_reports_add_up_and_expire(state: State) -> None:
    copies, key = copies_of(state), state.keys.recorder
    assert RecorderStatus.read(texts(state, key)) is None
    copies.report(RecorderReport(written=2))
    assert "lost_at" not in texts(state, key)
    copies.report(RecorderReport(written=3, lost=1, why="no space left on device", bytes=9, stops=True))
    found = RecorderStatus.read(texts(state, key))
    assert found is not None
    assert (found.written, found.lost, found.bytes, found.is_stopped) == (5, 1, 9, True)
    assert found.lost_ms is not None
    assert ttl_ms(state, key) is not None
