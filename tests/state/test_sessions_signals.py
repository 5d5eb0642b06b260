"""The effect of signals and vouchers on a session."""

import pytest

from detectors.sequence import FURTHEST_EXPIRY_MS
from state.keys import SESSION_TTL_MS
from tests.support.durations import DAY_MS, SECOND_MS
from tests.support.events import apply, arrived, event
from tests.support.sessions_at import at_ms, iso
from tests.support.stored_state import lanes_of, stored, ttl_ms
from worker.runtime import State

__all__ = ["at_ms"]  # fixtures


@pytest.mark.parametrize(
    ("kind", "lane"),
    [
        ("exit", "checkout.web.exit"),
        ("payment_declined", "checkout.web.declined"),
        ("payment_pending", "checkout.web.pending"),
    ],
)
def test_signal_changes_the_kind_and_keeps_the_stage(state: State, at_ms: int, kind: str, lane: str) -> None:
    apply(state, arrived(event(), at_ms), arrived(event(kind, stage=None), at_ms + SECOND_MS))
    assert lanes_of(state) == {lane: at_ms + SECOND_MS}


def test_a_signal_that_names_a_stage_needs_no_activity_before_it(state: State, at_ms: int) -> None:
    apply(state, arrived(event("exit", stage="cart_review"), at_ms))
    assert lanes_of(state) == {"cart_review.web.exit": at_ms}


def test_activity_after_a_signal_is_idle_again(state: State, at_ms: int) -> None:
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


def test_signal_of_an_unknown_session_waits_for_its_stage(state: State, at_ms: int) -> None:
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


def test_expired_voucher_measures_silence_from_the_event(state: State, at_ms: int) -> None:
    apply(state, arrived(event("payment_pending", expires_at=iso(at_ms - DAY_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms}


def test_far_expiry_is_limited_to_thirty_days(state: State, at_ms: int) -> None:
    apply(state, arrived(event("payment_pending", expires_at=iso(at_ms + 365 * DAY_MS)), at_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms + FURTHEST_EXPIRY_MS}


def test_activity_after_a_voucher_measures_silence_from_now(state: State, at_ms: int) -> None:
    pending = event("payment_pending", expires_at=iso(at_ms + DAY_MS))
    apply(state, arrived(pending, at_ms), arrived(event(), at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms + SECOND_MS}
