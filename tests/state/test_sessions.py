"""The effect of events on a session's record and lane, one rule of the merge at a time."""

from itertools import permutations

import pytest

from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import apply, arrived, event
from tests.support.sessions_at import at_ms, iso
from tests.support.stored_state import lanes_of, stored
from worker.runtime import State

__all__ = ["at_ms"]  # fixtures


def test_first_activity_waits_in_its_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment", platform="ios"), at_ms))
    assert lanes_of(state) == {"payment.ios.idle": at_ms}
    assert stored(state).state == "waiting"


def test_the_newest_activity_decides_stage_and_silence(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="cart_review"), at_ms), arrived(event(stage="checkout"), at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms + SECOND_MS}


def test_an_older_activity_that_arrives_late_moves_nothing(state: State, at_ms: int) -> None:
    late = event(stage="cart_review", occurred_at=iso(at_ms - MINUTE_MS))
    apply(state, arrived(event(stage="checkout"), at_ms), arrived(late, at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms}


def test_late_older_activity_changes_nothing_in_its_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event(), at_ms - MINUTE_MS))
    assert stored(state).silent_since_ms == at_ms


def test_going_back_to_an_earlier_stage_moves_to_its_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment"), at_ms), arrived(event(stage="cart_review"), at_ms + 1))
    assert lanes_of(state) == {"cart_review.web.idle": at_ms + 1}


def test_later_stage_wins_within_the_same_millisecond(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment"), at_ms), arrived(event(stage="checkout"), at_ms))
    assert lanes_of(state) == {"payment.web.idle": at_ms}


def test_slow_clock_event_measures_silence_from_arrival(state: State, at_ms: int) -> None:
    apply(state, arrived(event(occurred_at=iso(at_ms - HOUR_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.idle": at_ms}
    assert stored(state).activity // 100 == at_ms - HOUR_MS


def test_a_clock_that_is_a_little_slow_is_believed(state: State, at_ms: int) -> None:
    apply(state, arrived(event(occurred_at=iso(at_ms - MINUTE_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.idle": at_ms - MINUTE_MS}


@pytest.mark.parametrize("ahead_ms", [1, HOUR_MS, 365 * DAY_MS])
def test_a_fast_clock_counts_as_the_arrival(state: State, at_ms: int, ahead_ms: int) -> None:
    apply(state, arrived(event(occurred_at=iso(at_ms + ahead_ms)), at_ms))
    assert lanes_of(state) == {"checkout.web.idle": at_ms}
    assert stored(state).activity // 100 == at_ms


def test_silence_runs_from_the_last_of_simultaneous_events(state: State, at_ms: int) -> None:
    again = event(occurred_at=iso(at_ms - HOUR_MS))
    apply(state, arrived(again, at_ms + MINUTE_MS), arrived(again, at_ms))
    assert stored(state).silent_since_ms == at_ms + MINUTE_MS


def test_old_event_that_just_arrived_prevents_silence(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment"), at_ms))
    apply(state, arrived(event(stage="cart_review", occurred_at=iso(at_ms - HOUR_MS)), at_ms + MINUTE_MS))
    assert stored(state).silent_since_ms == at_ms + MINUTE_MS
    assert list(lanes_of(state)) == ["payment.web.idle"]


def test_an_old_event_leaves_a_voucher_its_time(state: State, at_ms: int) -> None:
    voucher = event("payment_pending", expires_at=iso(at_ms + HOUR_MS))
    apply(state, arrived(voucher, at_ms), arrived(event(occurred_at=iso(at_ms - HOUR_MS)), at_ms + 1))
    assert stored(state).silent_since_ms == at_ms + HOUR_MS


def test_an_older_voucher_that_arrives_late_leaves_the_silence(state: State, at_ms: int) -> None:
    voucher = event("payment_pending", expires_at=iso(at_ms + HOUR_MS), occurred_at=iso(at_ms - 1))
    apply(state, arrived(event(), at_ms), arrived(voucher, at_ms))
    assert stored(state).silent_since_ms == at_ms


def test_a_voucher_s_expiry_is_nothing_that_was_seen(state: State, at_ms: int) -> None:
    voucher = event("payment_pending", expires_at=iso(at_ms + HOUR_MS))
    apply(state, arrived(voucher, at_ms), arrived(event(), at_ms + 1))
    assert stored(state).silent_since_ms == at_ms + 1


def test_presence_after_a_voucher_counts_once_it_is_superseded(state: State, at_ms: int) -> None:
    voucher = event("payment_pending", expires_at=iso(at_ms + HOUR_MS))
    old, exited = event(occurred_at=iso(at_ms - HOUR_MS)), event("exit")
    made = [arrived(voucher, at_ms), arrived(old, at_ms + MINUTE_MS), arrived(exited, at_ms + SECOND_MS)]
    for order in permutations(made):
        state.client.flushall()
        apply(state, *order)
        assert stored(state).silent_since_ms == at_ms + MINUTE_MS
