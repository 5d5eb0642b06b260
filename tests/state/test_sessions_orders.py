"""The effect of orders, opt-outs and settled outreaches on a session."""

import pytest

from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import abandon, sweep
from tests.support.sessions_at import at_ms, iso
from tests.support.stored_state import lanes_of, now_ms, record, stored
from worker.runtime import State

__all__ = ["at_ms"]  # fixtures


def test_a_session_that_bought_waits_in_no_lane(state: State, at_ms: int) -> None:
    apply(state, arrived(event(), at_ms), arrived(event("order_completed", stage=None), at_ms + SECOND_MS))
    assert lanes_of(state) == {}
    assert stored(state).state == "bought"


def test_order_wins_within_the_same_millisecond(state: State, at_ms: int) -> None:
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


def test_newer_activity_after_an_order_waits_again(state: State, at_ms: int) -> None:
    apply(state, arrived(event("order_completed", stage=None), at_ms), arrived(event(stage="cart_review"), at_ms + 1))
    assert stored(state).state == "waiting"
    assert stored(state).purchase
    assert lanes_of(state) == {"cart_review.web.idle": at_ms + 1}


def test_of_two_orders_the_later_one_counts(state: State, at_ms: int) -> None:
    order = event("order_completed", stage=None)
    apply(state, arrived(order, at_ms), arrived(order | {"occurred_at": iso(at_ms - MINUTE_MS)}, at_ms + 1))
    assert stored(state).purchase // 100 == at_ms


@pytest.mark.parametrize("kind", ["exit", "payment_pending", "payment_declined"])
def test_closed_page_or_voucher_after_the_order_does_not_undo_it(state: State, at_ms: int, kind: str) -> None:
    order = arrived(event("order_completed", stage=None), at_ms + SECOND_MS)
    after = arrived(event(kind, stage=None), at_ms + MINUTE_MS)
    apply(state, arrived(event(stage="payment"), at_ms), order, after)
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_order_after_a_later_signal_leaves_the_lane(state: State, at_ms: int) -> None:
    voucher = arrived(event("payment_pending", stage=None), at_ms + MINUTE_MS)
    apply(state, arrived(event(stage="payment"), at_ms), voucher)
    late = event("order_completed", stage=None, occurred_at=iso(at_ms + SECOND_MS))
    apply(state, arrived(late, at_ms + 2 * MINUTE_MS))
    assert stored(state).state == "bought"
    assert lanes_of(state) == {}


def test_older_order_still_cancels_the_open_outreach(state: State) -> None:
    outreach = abandon(state)
    happen(state, event("order_completed", stage=None, occurred_at=iso(now_ms(state) - 2 * HOUR_MS)))
    assert (record(state, outreach)["state"], record(state, outreach)["reason"]) == ("cancelled", "paid")


def test_order_older_than_an_activity_is_undone(state: State, at_ms: int) -> None:
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


def test_settled_session_waits_again_only_after_newer_activity(state: State) -> None:
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
