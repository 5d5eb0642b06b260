"""Acknowledged and deleted entries, and pending reads."""

import pytest

from state.event_stream import GROUP, GroupMissingError
from tests.support.filled_stream import add, events, filled, read
from worker.runtime import State

__all__ = ["filled"]  # fixtures


def test_what_is_acknowledged_is_deleted_and_not_pending(filled: State) -> None:
    found = read(filled)
    filled.streams.first.acknowledge([entry.id for entry in found[:2]])
    assert filled.client.xlen(filled.keys.events) == 1
    assert events(filled.streams.first.read_pending("one", count=10)) == [b"e2"]


def test_one_read_at_the_head_of_the_stream_is_cut_off(filled: State) -> None:
    add(filled, "e3")
    first, second = read(filled, count=2), read(filled, count=1)
    assert filled.streams.first.acknowledge([entry.id for entry in first], one_read=True) == 2
    assert filled.streams.first.deliveries("one") == 1
    assert filled.streams.watermark().first == second[0].id.decode()
    assert filled.streams.first.acknowledge([second[0].id], one_read=True) == 1
    assert events(read(filled)) == [b"e3"]


def test_one_read_behind_another_leaves_that_in_the_stream(filled: State) -> None:
    first, second = read(filled, "one", count=1), read(filled, "two", count=2)
    assert filled.streams.first.acknowledge([entry.id for entry in second], one_read=True) == 2
    assert filled.client.xlen(filled.keys.events) == 1
    assert events(filled.streams.first.read_pending("one", count=10)) == [b"e0"]
    assert filled.streams.first.acknowledge([first[0].id], one_read=True) == 1
    assert filled.streams.watermark().first == ""


def test_acknowledging_several_reads_keeps_entries_between_them(filled: State) -> None:
    found = read(filled)
    assert filled.streams.first.acknowledge([found[0].id, found[2].id]) == 2
    assert events(filled.streams.first.read_pending("one", count=10)) == [b"e1"]


def test_a_read_that_was_begun_waits_for_nothing(filled: State) -> None:
    first = [filled.streams.first]
    wait = filled.streams.send_read(first, "one", count=2)
    assert events(wait.result()[0].entries) == [b"e0", b"e1"]
    assert events(filled.streams.send_read(first, "one", count=2).result()[0].entries) == [b"e2"]
    assert filled.streams.send_read(first, "one", count=2).result() == []
    assert filled.streams.first.deliveries("one") == 1


def test_read_sent_without_the_group_reports_it(state: State) -> None:
    add(state, "e")
    with pytest.raises(GroupMissingError):
        state.streams.send_read([state.streams.first], "one", count=2).result()


def test_acknowledging_again_or_nothing_does_nothing(filled: State) -> None:
    found = read(filled)
    for _ in range(2):
        filled.streams.first.acknowledge([found[0].id])
        filled.streams.first.acknowledge([])
    assert filled.client.xlen(filled.keys.events) == 2


def test_acknowledge_works_without_group_and_stream(filled: State) -> None:
    found = read(filled)
    filled.client.xgroup_destroy(filled.keys.events, GROUP)
    filled.streams.first.acknowledge([found[0].id])
    assert filled.client.xlen(filled.keys.events) == 2
    filled.client.delete(filled.keys.events)
    filled.streams.first.acknowledge([found[1].id])


@pytest.mark.xdist_group("valkey")
def test_more_than_a_script_can_unpack_are_acknowledged(real_state: State) -> None:
    state = real_state
    state.streams.first.create_group()
    pipe = state.client.pipeline(transaction=False)
    for number in range(10_001):
        pipe.execute_command("XADD", state.keys.events, "*", "event", number)
    pipe.execute()
    state.streams.first.acknowledge([entry.id for entry in read(state, count=10_001)])
    assert state.client.xlen(state.keys.events) == 0
    assert state.streams.first.deliveries("one") == 0
