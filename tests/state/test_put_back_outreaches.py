"""After a server's clock was put back: leases, retries and decisions about outreaches."""

from dataclasses import replace

import pytest

from state.decisions import RETRY_UNKNOWN_AFTER_MS
from tasks.delivery.settling import LONGEST_UNKNOWN, unknown_for
from tests.support.control_support import held
from tests.support.deciding import dead, operator, said, unknown
from tests.support.durations import SECOND_MS
from tests.support.outreaches import dispatch, take, taken
from tests.support.put_back import put_back_hashes_and_sets, step_ms
from tests.support.states import LEASE_MS
from tests.support.stored_state import now_ms, score_of, texts
from worker.runtime import State

__all__ = ["step_ms"]  # fixtures


def test_lease_of_a_dead_worker_is_put_back_to_one_lease(state: State, step_ms: int) -> None:
    held_one = taken(state)
    put_back_hashes_and_sets(state, step_ms)
    state.outbox.reap()
    ends = score_of(state, state.keys.leased(int(held_one.outreach[:2])), held_one.outreach)
    assert ends is not None
    assert LEASE_MS - SECOND_MS < ends - now_ms(state) <= LEASE_MS


def test_lease_of_a_worker_that_lives_is_left_as_it_is(state: State) -> None:
    held_one = taken(state)
    key = state.keys.leased(int(held_one.outreach[:2]))
    before = score_of(state, key, held_one.outreach)
    state.outbox.reap()
    assert score_of(state, key, held_one.outreach) == before


def test_retry_of_an_unknown_one_waits_as_long_as_from_now(state: State, step_ms: int) -> None:
    held_one = unknown(state, for_ms=-step_ms)
    by = operator(state)
    assert said(by.retry_unknown([held_one.outreach]))[0][0] == "too_soon"
    ended = int(texts(state, state.keys.outreach(held_one.outreach))["ended_at"])
    assert ended <= now_ms(state)
    state.client.hset(state.keys.outreach(held_one.outreach), "ended_at", ended - RETRY_UNKNOWN_AFTER_MS)
    assert said(by.retry_unknown([held_one.outreach])) == [("retried", "")]


@pytest.mark.parametrize(("first_ms", "expected_s"), [(-5000, 5), (500, 0), (2000, LONGEST_UNKNOWN.total_seconds())])
def test_first_attempt_in_the_future_is_too_long_ago(first_ms: int, expected_s: float) -> None:
    """Its key might have expired: then the request isn't repeated."""
    at = 1_800_000_000_000
    assert unknown_for(replace(held(), now_ms=at, first_sending_ms=at + first_ms)).total_seconds() == expected_s


def test_dead_outreach_of_the_future_can_be_retried(state: State, step_ms: int) -> None:
    found = dead(state)
    state.client.hset(state.keys.outreach(found.outreach), "ended_at", now_ms(state) + step_ms)
    assert said(operator(state).retry_dead([found.outreach])) == [("retried", "")]
    assert dispatch(state) == [found.outreach]
    assert take(state, found.outreach).attempts == 0
