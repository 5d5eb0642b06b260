"""The possible ends of an outreach after an attempt with an unknown result."""

import pytest

from state.outbox import Result, Taken
from tests.support.durations import HOUR_MS
from tests.support.events import event, happen
from tests.support.outreaches import dispatch, fence, sending, take, take_again
from tests.support.passing_time import expire_session
from tests.support.stored_state import counters, places_of, record, stored
from worker.runtime import State


def ambiguous(state: State) -> Taken:
    """Return a second attempt that is sending, after a first one with an unknown result."""
    held = sending(state)
    assert state.outbox.settle(held, "retry", reason="http_504", line="attempt 1", ambiguous=True) == "waiting"
    again = take_again(state, held.outreach)
    assert again.ambiguous
    assert fence(state, again) == "sending"
    return again


@pytest.mark.parametrize("result", ["dead", "suppressed", "unknown"])
def test_after_an_ambiguous_attempt_it_ends_unknown(state: State, result: Result) -> None:
    held = ambiguous(state)
    assert state.outbox.settle(held, result, reason="because", line="attempt 2") == "unknown"
    assert places_of(state, held.outreach) == {"unknown"}
    assert stored(state).contacts == 1


def test_after_an_ambiguous_attempt_it_may_still_be_sent(state: State) -> None:
    held = ambiguous(state)
    assert state.outbox.settle(held, "sent", line="attempt 2") == "sent"
    assert stored(state).contacts == 1


def test_return_after_an_ambiguous_attempt_does_not_cancel(state: State) -> None:
    held = ambiguous(state)
    happen(state, event())
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 2") == "unknown"
    assert counters(state) == {"unknown.cancelled": 1}


def test_waiting_ambiguous_outreach_ends_unknown_on_return(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "retry", reason="http_504", delay_ms=HOUR_MS, line="attempt 1", ambiguous=True)
    happen(state, event("order_completed"))
    assert record(state, held.outreach)["state"] == "unknown"
    assert places_of(state, held.outreach) == {"unknown"}
    assert stored(state).contacts == 1


def test_an_ambiguous_one_that_the_policy_ends_is_unknown(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "retry", reason="http_504", line="attempt 1", ambiguous=True)
    again = take_again(state, held.outreach)
    assert state.outbox.end_unsent(again, "expired", "too_old") == "unknown"
    assert counters(state) == {"unknown.expired": 1}


def test_an_ambiguous_one_ends_unknown_at_the_fence(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "retry", reason="http_504", line="attempt 1", ambiguous=True)
    again = take_again(state, held.outreach)
    expire_session(state)
    assert fence(state, again) == "cancelled"
    assert record(state, held.outreach)["state"] == "unknown"


def test_an_ambiguous_one_may_be_retried(state: State) -> None:
    held = ambiguous(state)
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 2") == "waiting"
    assert dispatch(state) == [held.outreach]
    assert take(state, held.outreach).attempts == 2
