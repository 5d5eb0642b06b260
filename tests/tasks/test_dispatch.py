"""Dispatch leases due outreaches, longest due first, and never more than the limit in flight."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from state.errors import ServerUnavailableError
from state.partitions import partition_of
from tasks.delivery.attempt import attempt
from tasks.deps import Deps
from tasks.dispatch import FLOOD, Dispatched, dispatch
from tests.support.attempts import deps_of, let_it_be_reaped, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.outreaches import abandon, sending, take
from tests.support.passing_time import let_lease_run_out
from tests.support.stored_state import places_of, record
from worker.runtime import State


class Broker:
    """A queue that takes everything and delivers nothing."""

    def __init__(self, length: int = 0) -> None:
        self.length = length
        self.messages: list[str] = []

    def queued(self) -> int:
        return self.length

    def enqueue(self, outreaches: Sequence[str]) -> None:
        self.messages += outreaches

    def purge(self) -> int:
        removed, self.length = self.length, 0
        return removed

    def dispatch(self, deps: Deps) -> Dispatched:
        return dispatch(deps, queued=self.queued, enqueue=self.enqueue, purge=self.purge)


def abandoned(state: State, count: int) -> list[str]:
    """Return outreaches of this many sessions, spread over the partitions; the first is overdue for longest."""
    return [abandon(state, f"s-{index}", ago_ms=20 * HOUR_MS - index * MINUTE_MS) for index in range(count)]


def test_each_due_outreach_is_enqueued_once(state: State) -> None:
    due, broker = abandoned(state, 3), Broker()
    assert broker.dispatch(deps_of(state)) == Dispatched(3, 0, 0)
    assert broker.dispatch(deps_of(state)) == Dispatched(0, 0, 0)
    assert sorted(broker.messages) == sorted(due)
    assert all(places_of(state, outreach) == {"leased"} for outreach in due)


def test_broker_is_not_contacted_when_nothing_is_due(state: State) -> None:
    def refuse(_: Sequence[str]) -> None:
        raise AssertionError("nothing was due")

    assert dispatch(deps_of(state), queued=lambda: 0, enqueue=refuse) == Dispatched(0, 0, 0)


def test_leases_never_exceed_the_messages_in_flight(state: State) -> None:
    due, broker = abandoned(state, 5), Broker()
    deps = replace(deps_of(state), in_flight=2)
    assert [broker.dispatch(deps).enqueued for _ in range(3)] == [2, 0, 0]
    first = take(state, broker.messages[0])
    assert broker.dispatch(deps).enqueued == 0
    assert state.outbox.end_unsent(first, "suppressed", "no_cart") == "suppressed"
    assert broker.dispatch(deps).enqueued == 1
    assert len(set(broker.messages)) == 3
    assert set(broker.messages) < set(due)


@pytest.mark.parametrize(("queued", "enqueued"), [(0, 2), (1, 2), (2, 0), (3, 0), (200, 0)])
def test_full_queue_blocks_leases(state: State, queued: int, enqueued: int) -> None:
    due, broker = abandoned(state, 3), Broker(queued)
    deps = replace(deps_of(state), in_flight=2)
    assert broker.dispatch(deps).enqueued == enqueued
    waiting = [outreach for outreach in due if places_of(state, outreach) == {"due"}]
    assert len(waiting) == 3 - enqueued


def test_longest_overdue_are_leased_first_across_partitions(state: State) -> None:
    due, broker = abandoned(state, 12), Broker()
    assert len({partition_of(f"s-{index}") for index in range(12)}) > 6
    deps = replace(deps_of(state), in_flight=4)
    for start in range(0, 12, 4):
        broker.dispatch(deps)
        assert set(broker.messages[start:]) == set(due[start : start + 4])
        for outreach in broker.messages[start:]:
            state.outbox.end_unsent(take(state, outreach), "suppressed", "no_cart")


def test_outreach_records_the_barrier_at_its_dispatch(state: State) -> None:
    [outreach], broker = abandoned(state, 1), Broker()
    last = state.client.xadd(state.keys.events, {"event": "{}"})
    broker.dispatch(deps_of(state))
    assert record(state, outreach)["barrier"] == bytes(last).decode()  # type: ignore[arg-type] # a client of bytes


def test_a_lost_message_is_replaced_when_its_lease_has_run_out(state: State) -> None:
    [outreach], broker = abandoned(state, 1), Broker()
    broker.dispatch(deps_of(state))
    let_lease_run_out(state, outreach)
    assert broker.dispatch(deps_of(state)) == Dispatched(1, 1, 0)
    assert broker.messages == [outreach, outreach]
    with yuno(state) as (deps, server):
        assert [attempt(message, deps).outcome for message in broker.messages] == ["sent", "dropped"]
        assert len(server.requests) == 1


def test_outreach_that_died_sending_is_unknown_and_not_enqueued(state: State) -> None:
    outreach, broker = sending(state).outreach, Broker()
    let_lease_run_out(state, outreach)
    assert broker.dispatch(deps_of(state)) == Dispatched(0, 0, 1)
    assert broker.messages == []
    assert places_of(state, outreach) == {"unknown"}


def test_expired_leases_are_reaped_while_the_queue_is_full(state: State) -> None:
    [outreach], broker = abandoned(state, 1), Broker()
    broker.dispatch(deps_of(state))
    let_lease_run_out(state, outreach)
    assert Broker(10_000).dispatch(deps_of(state)) == Dispatched(0, 1, 0)
    assert places_of(state, outreach) == {"due"}


def test_leases_of_a_broker_outage_are_due_again(state: State) -> None:
    [outreach], broker = abandoned(state, 1), Broker()

    def away(_: Sequence[str]) -> None:
        raise ConnectionError("the broker is away")

    with pytest.raises(ConnectionError):
        dispatch(deps_of(state), queued=lambda: 0, enqueue=away)
    assert places_of(state, outreach) == {"leased"}
    let_it_be_reaped(state, outreach)
    assert broker.dispatch(deps_of(state)).enqueued == 1


def test_a_server_that_is_away_leaves_everything_as_it_was(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    [outreach], broker = abandoned(state, 1), Broker()

    def away(*_: object) -> None:
        raise ServerUnavailableError("away")

    with monkeypatch.context() as broken:
        broken.setattr(state.scripts, "run_many", away)
        with pytest.raises(ServerUnavailableError):
            broker.dispatch(deps_of(state))
    assert places_of(state, outreach) == {"due"}
    assert broker.dispatch(deps_of(state)).enqueued == 1


def test_queue_that_holds_dispatch_back_is_recorded(state: State) -> None:
    abandoned(state, 1)
    seen: list[int] = []
    deps = replace(deps_of(state), in_flight=10, backlog=seen.append)
    assert [Broker(length).dispatch(deps).enqueued for length in (10, 9)] == [0, 1]
    assert seen == [10, 0]


def test_flooded_queue_is_emptied_and_dispatch_continues(state: State) -> None:
    due, flooded = abandoned(state, 1), list[int]()
    deps = replace(deps_of(state), in_flight=10, flooded=flooded.append)
    broker = Broker(10 * FLOOD)
    assert broker.dispatch(deps).enqueued == 0
    assert flooded == []
    broker.length += 1
    assert broker.dispatch(deps).enqueued == 1
    assert (broker.messages, flooded) == (due, [10 * FLOOD + 1])
