"""What happens to a session's record and lane when its events are applied, one rule of the merge at a time."""

from itertools import permutations

import pytest

from detectors.sequence import FURTHEST_EXPIRY_MS
from state.keys import SESSION_TTL_MS
from tests.support.helpers import (
    DAY_MS,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    apply,
    arrived,
    event,
    happen,
    lanes_of,
    now_ms,
    record,
    stored,
    sweep,
    ttl_ms,
)
from worker.runtime import State


@pytest.fixture
def at_ms(state: State) -> int:
    """A moment of today, so that no session has expired when it is looked at."""
    return now_ms(state) - HOUR_MS


def iso(at_ms: int) -> float:
    """A moment as pydantic also reads it: Unix seconds."""
    return at_ms / 1000


def test_a_first_activity_waits_in_the_lane_of_its_stage_and_platform(state: State, at_ms: int) -> None:
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


def test_an_older_activity_that_arrives_late_moves_nothing_at_the_same_place(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event(), at_ms - MINUTE_MS))
    assert stored(state).silent_since_ms == at_ms


def test_going_back_to_an_earlier_stage_moves_to_its_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment"), at_ms), arrived(event(stage="cart_review"), at_ms + 1))
    assert lanes_of(state) == {"cart_review.web.idle": at_ms + 1}


def test_of_two_stages_in_the_same_millisecond_the_later_one_in_the_flow_counts(state: State, at_ms: int) -> None:
    apply(state, arrived(event(stage="payment"), at_ms), arrived(event(stage="checkout"), at_ms))
    assert lanes_of(state) == {"payment.web.idle": at_ms}


def test_after_an_event_with_a_slow_clock_silence_begins_at_its_arrival(state: State, at_ms: int) -> None:
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


def test_silence_runs_from_the_last_arrival_of_events_that_occurred_together(state: State, at_ms: int) -> None:
    again = event(occurred_at=iso(at_ms - HOUR_MS))
    apply(state, arrived(again, at_ms + MINUTE_MS), arrived(again, at_ms))
    assert stored(state).silent_since_ms == at_ms + MINUTE_MS


def test_an_old_event_that_has_just_arrived_keeps_the_session_from_being_silent(state: State, at_ms: int) -> None:
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


def test_what_was_seen_after_a_voucher_counts_when_that_is_superseded(state: State, at_ms: int) -> None:
    voucher = event("payment_pending", expires_at=iso(at_ms + HOUR_MS))
    old, exited = event(occurred_at=iso(at_ms - HOUR_MS)), event("exit")
    made = [arrived(voucher, at_ms), arrived(old, at_ms + MINUTE_MS), arrived(exited, at_ms + SECOND_MS)]
    for order in permutations(made):
        state.client.flushall()
        apply(state, *order)
        assert stored(state).silent_since_ms == at_ms + MINUTE_MS


@pytest.mark.parametrize(
    ("kind", "lane"),
    [
        ("exit", "checkout.web.exit"),
        ("payment_declined", "checkout.web.declined"),
        ("payment_pending", "checkout.web.pending"),
    ],
)
def test_a_signal_changes_the_kind_of_the_silence_and_keeps_the_stage(
    state: State, at_ms: int, kind: str, lane: str
) -> None:
    apply(state, arrived(event(), at_ms), arrived(event(kind, stage=None), at_ms + SECOND_MS))
    assert lanes_of(state) == {lane: at_ms + SECOND_MS}


def test_a_signal_that_names_a_stage_needs_no_activity_before_it(state: State, at_ms: int) -> None:
    apply(state, arrived(event("exit", stage="cart_review"), at_ms))
    assert lanes_of(state) == {"cart_review.web.exit": at_ms}


def test_an_activity_after_a_signal_is_silence_like_any_other_again(state: State, at_ms: int) -> None:
    apply(state, arrived(event("exit"), at_ms), arrived(event(stage="payment"), at_ms + 1))
    assert lanes_of(state) == {"payment.web.idle": at_ms + 1}


def test_an_older_signal_does_not_change_the_kind(state: State, at_ms: int) -> None:
    old = event("payment_declined", stage=None, occurred_at=iso(at_ms - 1))
    apply(state, arrived(event(), at_ms), arrived(old, at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms}


def test_of_two_signals_the_later_one_counts(state: State, at_ms: int) -> None:
    declined = event("payment_declined", stage=None, occurred_at=iso(at_ms - 1))
    apply(state, arrived(event("exit"), at_ms), arrived(declined, at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.exit": at_ms}
    assert stored(state).signal // 100 == at_ms


def test_a_signal_of_an_unknown_session_waits_in_no_lane_until_its_stage_is_known(state: State, at_ms: int) -> None:
    apply(state, arrived(event("exit", stage=None), at_ms))
    assert lanes_of(state) == {}
    apply(state, arrived(event(stage="cart_review", occurred_at=iso(at_ms - 1)), at_ms + SECOND_MS))
    assert lanes_of(state) == {"cart_review.web.exit": at_ms}


def test_a_voucher_makes_silence_run_from_its_expiry(state: State, at_ms: int) -> None:
    pending = event("payment_pending", expires_at=iso(at_ms + DAY_MS))
    apply(state, arrived(pending, at_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms + DAY_MS}
    left = ttl_ms(state, state.keys.session("s-1"))
    assert left is not None
    assert left > SESSION_TTL_MS


def test_a_voucher_that_was_expired_when_it_arrived_makes_silence_run_from_the_event(state: State, at_ms: int) -> None:
    apply(state, arrived(event("payment_pending", expires_at=iso(at_ms - DAY_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms}


def test_an_expiry_in_the_far_future_is_believed_for_thirty_days_only(state: State, at_ms: int) -> None:
    apply(state, arrived(event("payment_pending", expires_at=iso(at_ms + 365 * DAY_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms + FURTHEST_EXPIRY_MS}


def test_an_activity_after_a_voucher_brings_the_silence_back_to_now(state: State, at_ms: int) -> None:
    pending = event("payment_pending", expires_at=iso(at_ms + DAY_MS))
    apply(state, arrived(pending, at_ms), arrived(event(), at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms + SECOND_MS}


def test_a_session_that_bought_waits_in_no_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event("order_completed", stage=None), at_ms + SECOND_MS))
    assert lanes_of(state) == {}
    assert stored(state).state == "bought"


def test_an_order_wins_over_everything_else_in_the_same_millisecond(state: State, at_ms: int) -> None:
    order, others = event("order_completed", stage=None), ("payment_pending", "payment_declined", "exit", "activity")
    apply(state, arrived(order, at_ms), *(arrived(event(kind), at_ms) for kind in others))
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_an_order_is_never_dropped_as_stale(state: State, at_ms: int) -> None:
    order = event("order_completed", stage=None, occurred_at=iso(at_ms - MINUTE_MS))
    marks = apply(state, arrived(event(customer=JANE), at_ms), arrived(order, at_ms + SECOND_MS))
    assert stored(state).purchase // 100 == at_ms - MINUTE_MS
    assert [(mark.phone, mark.purchase // 100) for mark in marks][1:] == [("+573001234567", at_ms - MINUTE_MS)]
    assert lanes_of(state) == {"checkout.web.idle": at_ms}


def test_newer_activity_after_an_order_makes_the_session_wait_again(state: State, at_ms: int) -> None:
    apply(state, arrived(event("order_completed", stage=None), at_ms), arrived(event(stage="cart_review"), at_ms + 1))
    assert stored(state).state == "waiting"
    assert stored(state).purchase
    assert lanes_of(state) == {"cart_review.web.idle": at_ms + 1}


def test_of_two_orders_the_later_one_counts(state: State, at_ms: int) -> None:
    order = event("order_completed", stage=None)
    apply(state, arrived(order, at_ms), arrived(order | {"occurred_at": iso(at_ms - MINUTE_MS)}, at_ms + 1))
    assert stored(state).purchase // 100 == at_ms


@pytest.mark.parametrize("kind", ["exit", "payment_pending", "payment_declined"])
def test_a_page_closed_or_a_voucher_shown_after_the_order_does_not_undo_it(state: State, at_ms: int, kind: str) -> None:
    order = arrived(event("order_completed", stage=None), at_ms + SECOND_MS)
    after = arrived(event(kind, stage=None), at_ms + MINUTE_MS)
    apply(state, arrived(event(stage="payment"), at_ms), order, after)
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_an_order_that_comes_after_a_later_signal_takes_the_session_out_of_its_lane(state: State, at_ms: int) -> None:
    voucher = arrived(event("payment_pending", stage=None), at_ms + MINUTE_MS)
    apply(state, arrived(event(stage="payment"), at_ms), voucher)
    late = event("order_completed", stage=None, occurred_at=iso(at_ms + SECOND_MS))
    apply(state, arrived(late, at_ms + 2 * MINUTE_MS))
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_an_order_older_than_the_last_activity_still_calls_off_what_is_open(state: State) -> None:
    outreach = abandon(state)
    happen(state, event("order_completed", stage=None, occurred_at=iso(now_ms(state) - 2 * HOUR_MS)))
    assert (record(state, outreach)["state"], record(state, outreach)["reason"]) == ("cancelled", "paid")


def test_an_order_that_turns_out_to_be_older_than_an_activity_is_undone(state: State, at_ms: int) -> None:
    """The page was closed after both, so that neither the order nor the activity is the last event."""
    exited = event("exit", stage=None)
    apply(state, arrived(event("order_completed", stage=None), at_ms), arrived(exited, at_ms + MINUTE_MS))
    assert stored(state).state == "bought"
    apply(state, arrived(event(occurred_at=iso(at_ms + SECOND_MS)), at_ms + 2 * MINUTE_MS))
    assert stored(state).state == "waiting"
    assert list(lanes_of(state)) == ["checkout.web.exit"]


def test_an_order_of_an_unknown_session_is_remembered(state: State, at_ms: int) -> None:
    apply(state, arrived(event("order_completed", stage=None), at_ms))
    apply(state, arrived(event(occurred_at=iso(at_ms - MINUTE_MS)), at_ms + SECOND_MS))
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_an_opt_out_is_no_activity(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event("opt_out", stage=None), at_ms + MINUTE_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms}


def test_a_session_that_was_settled_is_silent_anew_after_newer_activity_only(state: State) -> None:
    happen(state, event(), ago_ms=HOUR_MS)
    assert sweep(state) == 0
    assert stored(state).state == "unreachable"
    happen(state, event("opt_out", stage=None, customer=JANE), ago_ms=HOUR_MS)
    assert stored(state).state == "unreachable"
    assert lanes_of(state) == {}
    happen(state, event(stage="payment"))
    assert stored(state).state == "waiting"
    assert list(lanes_of(state)) == ["payment.web.idle"]


def test_an_order_that_names_a_stage_is_an_order(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event("order_completed", stage="payment"), at_ms + SECOND_MS))
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}
