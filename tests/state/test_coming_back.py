"""Cancellations by shoppers who come back or pay, and outreaches that can't be cancelled any more."""

import pytest

from state.keys import SESSION_TTL_MS
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import abandon, dispatch, sending, sweep, take, taken
from tests.support.stored_state import counters, lanes_of, now_ms, places_of, record, stored, texts, ttl_ms
from worker.runtime import State


@pytest.mark.parametrize(
    ("kind", "reason"), [("activity", "came_back"), ("exit", "came_back"), ("order_completed", "paid")]
)
@pytest.mark.parametrize("is_taken", [False, True])
def test_event_after_the_claim_cancels_waiting_and_leased(
    state: State,
    kind: str,
    reason: str,
    is_taken: bool,  # noqa: FBT001 - a case
) -> None:
    outreach = abandon(state)
    if is_taken:
        dispatch(state)
        take(state, outreach)
    happen(state, event(kind))
    found = record(state, outreach)
    assert (found["state"], found["reason"]) == ("cancelled", reason)
    assert places_of(state, outreach) == set()
    assert counters(state) == {f"cancelled.{reason}": 1}
    assert stored(state).outreach == ""
    assert stored(state).state == ("bought" if reason == "paid" else "waiting")


def test_late_order_while_sending_leaves_a_ttl(state: State) -> None:
    held = sending(state)
    happen(state, event("order_completed", stage=None), ago_ms=HOUR_MS + MINUTE_MS)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    assert ttl_ms(state, state.keys.session("s-1")) is not None


@pytest.mark.parametrize("kind", ["activity", "order_completed"])
def test_what_is_sending_is_never_cancelled(state: State, kind: str) -> None:
    held = sending(state)
    happen(state, event(kind))
    assert record(state, held.outreach)["state"] == "sending"
    assert places_of(state, held.outreach) == {"leased"}
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    assert counters(state) == {"sent": 1}


@pytest.mark.parametrize("is_taken", [False, True])
def test_order_before_the_last_activity_cancels(
    state: State,
    is_taken: bool,  # noqa: FBT001 - a case
) -> None:
    outreach = abandon(state)
    if is_taken:
        dispatch(state)
        take(state, outreach)
    for _ in range(2):
        happen(state, event("order_completed", stage=None), ago_ms=HOUR_MS + SECOND_MS)
    assert counters(state) == {"cancelled.paid": 1}
    assert places_of(state, outreach) == set()
    assert stored(state).purchase
    assert sweep(state) == 0


def test_what_happened_before_the_claim_cancels_nothing(state: State) -> None:
    outreach = abandon(state, ago_ms=HOUR_MS)
    for kind in ("activity", "exit"):
        happen(state, event(kind), ago_ms=HOUR_MS + SECOND_MS)
    assert record(state, outreach)["state"] == "waiting"


def test_an_opt_out_cancels_nothing_by_itself(state: State) -> None:
    outreach = abandon(state)
    (mark,) = happen(state, event("opt_out", stage=None))
    assert mark.opted_out
    assert record(state, outreach)["state"] == "waiting"


def test_an_event_that_is_applied_again_cancels_nothing(state: State) -> None:
    at_ms = now_ms(state)
    made = [
        arrived(event(customer=JANE), at_ms - 2 * HOUR_MS),
        arrived(event(occurred_at=(at_ms - 3 * HOUR_MS) / 1000), at_ms - HOUR_MS),
    ]
    apply(state, *made)
    sweep(state, silent_for_ms=0)
    outreach = stored(state).outreach
    apply(state, *made)
    assert record(state, outreach)["state"] == "waiting"
    assert lanes_of(state) == {}


@pytest.mark.parametrize("is_taken", [False, True])
def test_an_old_event_that_has_just_arrived_cancels_what_is_open(
    state: State,
    is_taken: bool,  # noqa: FBT001 - a case
) -> None:
    outreach = taken(state).outreach if is_taken else abandon(state)
    happen(state, event(occurred_at=(now_ms(state) - 3 * HOUR_MS) / 1000))
    assert record(state, outreach) | {"state": "cancelled", "reason": "came_back"} == record(state, outreach)
    assert list(lanes_of(state)) == ["checkout.web.idle"]


def test_old_event_from_before_the_silence_cancels_nothing(state: State) -> None:
    outreach, at_ms = abandon(state), now_ms(state)
    apply(state, arrived(event(occurred_at=(at_ms - 3 * HOUR_MS) / 1000), at_ms - 2 * HOUR_MS))
    assert record(state, outreach)["state"] == "waiting"


def test_order_at_the_last_activity_cancels(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    happen(state, event(customer=JANE, occurred_at=at_ms / 1000), ago_ms=HOUR_MS)
    sweep(state)
    outreach = stored(state).outreach
    happen(state, event("order_completed", occurred_at=at_ms / 1000))
    assert record(state, outreach)["reason"] == "paid"


def test_coming_back_gives_the_session_its_time_to_live_again(state: State) -> None:
    abandon(state)
    happen(state, event())
    left = ttl_ms(state, state.keys.session("s-1"))
    assert left is not None
    assert left > SESSION_TTL_MS - MINUTE_MS


def test_return_within_the_hour_renews_the_ttl(state: State) -> None:
    hour_ms = now_ms(state) // HOUR_MS * HOUR_MS - HOUR_MS
    apply(state, arrived(event(customer=JANE), hour_ms + MINUTE_MS))
    assert sweep(state, silent_for_ms=0) == 1
    apply(state, arrived(event(), hour_ms + 2 * MINUTE_MS))
    assert ttl_ms(state, state.keys.session("s-1")) is not None


def test_an_ended_outreach_is_not_cancelled_later(state: State) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, "suppressed", "no_cart")
    happen(state, event())
    assert record(state, held.outreach)["state"] == "suppressed"
    assert counters(state) == {"suppressed.no_cart": 1}
    assert "outreach" not in texts(state, state.keys.session("s-1"))


def test_session_has_no_ttl_when_its_earlier_outreach_ends_last(state: State) -> None:
    first = sending(state)
    second = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    state.outbox.settle(first, "dead", reason="http_400", line="attempt 1")
    assert record(state, second)["state"] == "waiting"
    assert ttl_ms(state, state.keys.session("s-1")) is None
