"""The stream of activity: reads, takeovers, acknowledgements, and the watermark."""

import pytest
from redis.exceptions import ResponseError

from state.connection import connect
from state.event_stream import GROUP, GroupMissingError, StreamEntry
from state.keys import REJECTED_MAX_ENTRIES, REJECTED_TTL_MS
from state.scripts import Scripts
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.filled_stream import add, events, filled, read
from tests.support.states import make_state
from tests.support.stored_state import now_ms, ttl_ms
from tests.support.waiting import eventually
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

__all__ = ["filled"]  # fixtures


# Reading


def test_the_group_is_created_once(state: State) -> None:
    assert state.streams.first.create_group()
    assert not state.streams.first.create_group()


def test_stream_deleted_during_a_read_is_a_missing_group(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ResponseError("UNBLOCKED the stream key no longer exists")  # the words of Redis 7.0

    monkeypatch.setattr(state.client, "execute_command", refuse)
    with pytest.raises(GroupMissingError):
        read(state)


def test_what_waited_before_there_was_a_group_is_read(state: State) -> None:
    add(state, "early")
    state.streams.first.create_group()
    assert events(read(state)) == [b"early"]


def test_entries_come_in_order_with_their_arrival(filled: State) -> None:
    found = read(filled)
    assert events(found) == [b"e0", b"e1", b"e2"]
    assert all(abs(entry.arrival_ms - now_ms(filled)) < MINUTE_MS for entry in found)


def test_a_batch_has_no_more_than_asked_for(filled: State) -> None:
    assert events(read(filled, count=2)) == [b"e0", b"e1"]
    assert events(read(filled, count=2)) == [b"e2"]
    assert read(filled) == []


def test_two_consumers_share_the_entries(filled: State) -> None:
    assert events(read(filled, "one", count=1)) == [b"e0"]
    assert events(read(filled, "two")) == [b"e1", b"e2"]


def test_an_entry_without_the_field_has_no_event(state: State) -> None:
    state.streams.first.create_group()
    state.scripts.client.execute_command("XADD", state.keys.events, "*", "evnet", "{}")
    assert events(read(state)) == [None]


@pytest.mark.parametrize("fields", [("event", "{}", "source", "php"), ("source", "php", "event", "{}")])
def test_further_fields_of_an_entry_are_ignored(state: State, fields: tuple[str, ...]) -> None:
    state.streams.first.create_group()
    state.scripts.client.execute_command("XADD", state.keys.events, "*", *fields)
    assert events(read(state)) == [b"{}"]


def test_bytes_that_are_no_text_are_handed_over_as_they_are(state: State) -> None:
    state.streams.first.create_group()
    state.scripts.client.execute_command("XADD", state.keys.events, "*", "event", b"\xff\x00")
    assert events(read(state)) == [b"\xff\x00"]


# Pending


def test_unacknowledged_entry_is_read_again_by_its_consumer(filled: State) -> None:
    read(filled, "one", count=2)
    read(filled, "two")
    assert events(filled.streams.first.read_pending("one", count=10)) == [b"e0", b"e1"]
    assert events(filled.streams.first.read_pending("two", count=10)) == [b"e2"]
    assert filled.streams.first.read_pending("nonexistent", count=10) == []


def test_deliveries_are_those_of_the_first_pending_entry(filled: State) -> None:
    assert filled.streams.first.deliveries("one") == 0
    read(filled, "two", count=1)
    read(filled, "one")
    assert filled.streams.first.deliveries("one") == 1
    for _ in range(3):
        filled.streams.first.read_pending("one", count=1)
    assert filled.streams.first.deliveries("one") == 4
    assert filled.streams.first.deliveries("two") == 1
    filled.streams.first.acknowledge([filled.streams.first.read_pending("one", count=1)[0].id])
    assert filled.streams.first.deliveries("one") == 1


def test_entries_of_a_dead_consumer_move_without_a_delivery(filled: State) -> None:
    read(filled, "dead")
    assert filled.streams.first.take_over("one", idle_ms=0, count=10) == 3
    assert filled.streams.first.deliveries("dead") == 0
    assert filled.streams.first.deliveries("one") == 1
    assert events(filled.streams.first.read_pending("one", count=10)) == [b"e0", b"e1", b"e2"]
    assert filled.streams.first.deliveries("one") == 2


def test_entries_of_a_consumer_that_is_at_work_are_left_to_it(filled: State) -> None:
    read(filled, "busy")
    assert filled.streams.first.take_over("one", idle_ms=HOUR_MS, count=10) == 0
    assert filled.streams.first.deliveries("busy") == 1


def test_taking_over_is_bounded(filled: State) -> None:
    read(filled, "dead")
    assert filled.streams.first.take_over("one", idle_ms=0, count=2) == 2
    assert filled.streams.first.deliveries("dead") == 1


def test_an_entry_that_was_deleted_unread_comes_without_an_event(filled: State) -> None:
    first = read(filled, "one")[0]
    filled.scripts.client.xdel(filled.keys.events, first.id)
    pending = filled.streams.first.read_pending("one", count=1)
    assert pending == [StreamEntry(first.id, None)]
    filled.streams.first.acknowledge([first.id])
    assert events(filled.streams.first.read_pending("one", count=1)) == [b"e1"]


# A group that is missing


def test_missing_group_is_reported_by_every_command(filled: State) -> None:
    filled.client.xgroup_destroy(filled.keys.events, GROUP)
    with pytest.raises(GroupMissingError):
        read(filled)
    with pytest.raises(GroupMissingError):
        filled.streams.first.read_pending("one", count=1)
    with pytest.raises(GroupMissingError):
        filled.streams.first.deliveries("one")
    with pytest.raises(GroupMissingError):
        filled.streams.first.take_over("one", idle_ms=0, count=1)


def test_a_group_that_is_created_again_starts_from_the_beginning(filled: State) -> None:
    first = read(filled, count=1)
    filled.streams.first.acknowledge([first[0].id])
    filled.client.xgroup_destroy(filled.keys.events, GROUP)
    assert filled.streams.first.create_group()
    assert events(read(filled)) == [b"e1", b"e2"]


@pytest.mark.xdist_group("valkey")
def test_missing_stream_is_created_with_its_group(real_state: State) -> None:
    """Only on the real server: fakeredis has its own error for this."""
    with pytest.raises(GroupMissingError):
        read(real_state)
    real_state.streams.first.create_group()
    add(real_state, "new")
    assert events(read(real_state)) == [b"new"]


# Rejected events


def test_what_is_rejected_keeps_the_reason_and_the_field(state: State) -> None:
    state.streams.reject(b"12-0", [("cart.items", "is too long"), ("", "is odd")], applied=True)
    ((_, found),) = state.scripts.client.execute_command("XRANGE", state.keys.rejected, "-", "+")
    assert found == {
        b"entry": b"12-0",
        b"field": b"cart.items",
        b"reason": b"cart.items: is too long; is odd",
        b"applied": b"1",
    }
    left = ttl_ms(state, state.keys.rejected)
    assert left is not None
    assert REJECTED_TTL_MS - MINUTE_MS < left <= REJECTED_TTL_MS


def test_a_problem_of_the_whole_event_is_one_of_the_event(state: State) -> None:
    state.streams.reject(b"12-0", [("", "is not valid JSON")], applied=False)
    ((_, found),) = state.scripts.client.execute_command("XRANGE", state.keys.rejected, "-", "+")
    assert (found[b"field"], found[b"reason"], found[b"applied"]) == (b"event", b"is not valid JSON", b"0")


@pytest.mark.xdist_group("valkey")
def test_the_rejected_are_capped(real_state: State) -> None:
    pipe = real_state.client.pipeline(transaction=False)
    for number in range(REJECTED_MAX_ENTRIES + 500):
        pipe.execute_command("XADD", real_state.keys.rejected, "*", "entry", number)
    pipe.execute()
    real_state.streams.reject(b"12-0", [("", "is odd")], applied=False)
    assert REJECTED_MAX_ENTRIES <= real_state.client.xlen(real_state.keys.rejected) < REJECTED_MAX_ENTRIES + 200


# The shapes of replies


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols_give_the_same_replies(valkey: EmbeddedValkey, real_state: State, protocol: int) -> None:
    with connect(f"{valkey.url}?protocol={protocol}") as client:
        state = make_state(client, Scripts(client))
        state.streams.first.create_group()
        assert read(state) == []
        ids = [add(state, "a"), add(state, "b")]
        assert read(state, "dead") == [StreamEntry(ids[0], b"a"), StreamEntry(ids[1], b"b")]
        assert state.streams.barrier() == ids[1].decode()
        assert state.streams.first.take_over("one", idle_ms=0, count=10) == 2
        assert state.streams.first.deliveries("one") == 1
        assert state.streams.first.read_pending("one", count=1) == [StreamEntry(ids[0], b"a")]
        assert state.streams.watermark().first == ids[0].decode()
        state.streams.first.acknowledge(ids)
        assert state.streams.first.read_pending("one", count=1) == []
        assert state.streams.first.deliveries("one") == 0
    assert real_state.client.xlen(real_state.keys.events) == 0


@pytest.mark.xdist_group("valkey")
def test_read_waits_no_longer_than_its_timeout(real_state: State) -> None:
    real_state.streams.first.create_group()
    assert real_state.streams.first.read("one", count=1, block_ms=20) == []
    add(real_state, "late")
    eventually(lambda: real_state.streams.first.read("one", count=1, block_ms=20))
