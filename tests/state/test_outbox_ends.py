"""How an outreach ends or returns before its fence, and expired leases."""

import pytest

from state.keys import OUTREACH_TTL_MS
from state.outbox import Ended, Outbox
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.outreaches import BODY, abandon, dispatch, fence, sending, take, taken
from tests.support.partitions import same_partition
from tests.support.passing_time import let_lease_run_out
from tests.support.stored_state import counters, now_ms, places_of, record, score_of, stored, ttl_ms
from worker.runtime import State

# The policy's outcomes


@pytest.mark.parametrize("ended", ["cancelled", "suppressed", "expired", "dead"])
def test_the_policy_ends_it_with_a_reason(state: State, ended: Ended) -> None:
    held = taken(state)
    assert state.outbox.end_unsent(held, ended, "because") == ended
    found = record(state, held.outreach)
    assert (found["state"], found["reason"]) == (ended, "because")
    assert abs(int(found["ended_at"]) - now_ms(state)) < MINUTE_MS
    assert found["history"].endswith(f" {ended}.because\n")
    assert places_of(state, held.outreach) == ({"dead"} if ended == "dead" else set())
    assert counters(state) == {f"{ended}.because": 1}
    assert stored(state).contacts == 0


def test_an_ended_outreach_is_kept_for_thirty_days(state: State) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, "suppressed", "no_cart")
    left = ttl_ms(state, state.keys.outreach(held.outreach))
    assert left is not None
    assert OUTREACH_TTL_MS - MINUTE_MS < left <= OUTREACH_TTL_MS


def test_superseded_worker_cannot_end_its_outreach(state: State) -> None:
    first = taken(state)
    let_lease_run_out(state, first.outreach)
    state.outbox.reap()
    assert state.outbox.end_unsent(first, "suppressed", "no_cart") is None
    dispatch(state)
    take(state, first.outreach)
    assert state.outbox.end_unsent(first, "suppressed", "no_cart") is None
    assert record(state, first.outreach)["state"] == "leased"


def test_the_policy_cannot_end_what_is_sending(state: State) -> None:
    held = sending(state)
    assert state.outbox.end_unsent(held, "suppressed", "no_cart") is None
    assert record(state, held.outreach)["state"] == "sending"


def test_a_postponed_one_is_due_later_and_counts_no_attempt(state: State) -> None:
    held = taken(state)
    before_ms = now_ms(state)
    assert state.outbox.postpone(held, delay_ms=HOUR_MS, why="quiet_hours")
    found = record(state, held.outreach)
    assert (found["state"], found["attempts"]) == ("waiting", "0")
    assert found["history"].endswith(" postponed.quiet_hours\n")
    assert places_of(state, held.outreach) == {"due"}
    due = score_of(state, state.keys.due(int(held.outreach[:2])), held.outreach)
    assert due is not None
    assert before_ms + HOUR_MS <= due <= now_ms(state) + HOUR_MS


def test_postponement_without_reason_adds_no_history(state: State) -> None:
    held = taken(state)
    before = record(state, held.outreach)["history"]
    state.outbox.postpone(held, delay_ms=SECOND_MS, why="")
    assert record(state, held.outreach)["history"] == before


def test_superseded_worker_cannot_postpone_its_outreach(state: State) -> None:
    first = taken(state)
    let_lease_run_out(state, first.outreach)
    state.outbox.reap()
    assert not state.outbox.postpone(first, delay_ms=HOUR_MS, why="")
    dispatch(state)
    take(state, first.outreach)
    assert not state.outbox.postpone(first, delay_ms=HOUR_MS, why="")
    assert places_of(state, first.outreach) == {"leased"}


def test_what_is_sending_cannot_be_postponed(state: State) -> None:
    held = sending(state)
    assert not state.outbox.postpone(held, delay_ms=HOUR_MS, why="")
    assert places_of(state, held.outreach) == {"leased"}


# Leases that ran out


def test_running_lease_is_not_reaped(state: State) -> None:
    held = taken(state)
    assert state.outbox.reap().due_again == 0
    assert record(state, held.outreach)["state"] == "leased"


@pytest.mark.parametrize("is_taken", [False, True])
def test_unsent_outreach_with_an_expired_lease_is_due_again(state: State, is_taken: bool) -> None:  # noqa: FBT001
    outreach = abandon(state)
    dispatch(state)
    if is_taken:
        take(state, outreach)
    let_lease_run_out(state, outreach)
    reaped = state.outbox.reap()
    assert (reaped.due_again, reaped.unknown, reaped.missing) == (1, 0, 0)
    assert record(state, outreach)["state"] == "waiting"
    assert places_of(state, outreach) == {"due"}
    assert dispatch(state) == [outreach]


def test_sending_outreach_with_an_expired_lease_is_unknown(state: State) -> None:
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    reaped = state.outbox.reap()
    assert (reaped.due_again, reaped.unknown, reaped.missing) == (0, 1, 0)
    found = record(state, held.outreach)
    assert (found["state"], found["reason"]) == ("unknown", "lease_ran_out")
    assert "body" not in found
    assert places_of(state, held.outreach) == {"unknown"}
    assert counters(state) == {"unknown.lease_ran_out": 1}
    assert stored(state).contacts == 1


def test_lease_without_record_is_removed(state: State) -> None:
    held = taken(state)
    state.client.delete(state.keys.outreach(held.outreach))
    state.client.pexpire(state.keys.session("s-1"), DAY_MS)
    let_lease_run_out(state, held.outreach)
    reaped = state.outbox.reap()
    assert (reaped.due_again, reaped.unknown, reaped.missing) == (0, 0, 1)
    assert places_of(state, held.outreach) == set()
    assert counters(state) == {"expired.outreach_gone": 1}


def test_reaping_twice_does_nothing_more(state: State) -> None:
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    state.outbox.reap()
    again = state.outbox.reap()
    assert (again.due_again, again.unknown, again.missing) == (0, 0, 0)
    assert counters(state) == {"unknown.lease_ran_out": 1}


def test_reaping_is_bounded_for_each_partition(state: State) -> None:
    for session in same_partition("s-1", 3):
        outreach = abandon(state, session)
        dispatch(state)
        let_lease_run_out(state, outreach)
    assert state.outbox.reap(2).due_again == 2
    assert state.outbox.reap(2).due_again == 1


@pytest.mark.parametrize("parked", ["dead", "unknown"])
def test_what_waits_for_a_decision_is_forgotten_with_its_record(state: State, parked: Ended) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, parked, "")
    key = f"{state.keys.partition(int(held.outreach[:2]))}{parked}"
    state.client.zadd(key, {held.outreach: now_ms(state) - OUTREACH_TTL_MS + MINUTE_MS})
    state.outbox.reap()
    assert places_of(state, held.outreach) == {parked}
    state.client.zadd(key, {held.outreach: now_ms(state) - OUTREACH_TTL_MS})
    state.outbox.reap()
    assert places_of(state, held.outreach) == set()


def test_an_attempt_is_bound_to_the_lease_of_its_outbox(state: State) -> None:
    """A lease as short as this has expired by the time of the check."""
    brief = Outbox(state.scripts, state.keys, lease_ms=0)
    outreach = abandon(state)
    assert brief.lease_due(1, now_ms=now_ms(state), barrier="0-0") == [outreach]
    held = brief.take(outreach)
    assert held is not None
    assert brief.fence(held, body=BODY, key="k").verdict == "lost"
    assert brief.reap().due_again == 1
    assert fence(state, held) == "lost"
