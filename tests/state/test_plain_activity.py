"""Plain activity in the same lane: the cheapest path of all events, with the result of the general one."""

import pytest

from state.keys import SESSION_TTL_MS
from state.partitions import partition_of
from tests.support.dumps import dump_without_scores
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import WAIT_MS, abandon, sweep
from tests.support.stored_state import counters, lanes_of, now_ms, record, stored, texts, ttl_ms
from worker.runtime import State


def test_activity_moves_the_silence_without_touching_the_lane(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(), at_ms))
    apply(state, arrived(event(), at_ms + MINUTE_MS))
    assert stored(state).silent_since_ms == at_ms + MINUTE_MS
    assert lanes_of(state) == {"checkout.web.idle": at_ms}


def test_sweep_reschedules_active_sessions_and_claims_them_later(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=2 * HOUR_MS)
    happen(state, event(), ago_ms=WAIT_MS - MINUTE_MS)
    since_ms = stored(state).silent_since_ms
    assert sweep(state) == 0
    assert counters(state) == {}
    assert lanes_of(state) == {"checkout.web.idle": since_ms}
    assert sweep(state, silent_for_ms=WAIT_MS - 2 * MINUTE_MS) == 1
    outreach = stored(state).outreach
    assert f"silent since {since_ms}" in record(state, outreach)["history"]
    assert lanes_of(state) == {}


def test_sweep_ends_when_every_session_was_active(state: State) -> None:
    sessions = [f"s-{number}" for number in range(30)]
    for ago_ms in (2 * HOUR_MS, SECOND_MS):
        apply(state, *(arrived(event(session=session), now_ms(state) - ago_ms) for session in sessions))
    assert sweep(state) == 0
    assert all(score == stored(state, s).silent_since_ms for s in sessions for score in lanes_of(state, s).values())


@pytest.mark.parametrize(
    "later",
    [
        event(customer=JANE),
        event(cart=None),
        event(stage="payment"),
        event(platform="ios"),
        event("exit"),
        event("order_completed"),
        event("opt_out"),
        event(occurred_at=1.0),
    ],
    ids=["customer", "cart", "stage", "platform", "exit", "order", "opt_out", "late"],
)
def test_whatever_comes_in_between_the_order_does_not_matter(state: State, later: dict[str, object]) -> None:
    at_ms = now_ms(state) - HOUR_MS
    made = [arrived(event(), at_ms), arrived(later, at_ms + SECOND_MS), arrived(event(), at_ms + 2 * SECOND_MS)]
    results = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1), (0, 1, 2, 1, 2)):
        state.client.flushall()
        for place in order:
            apply(state, made[place])
        results.append(dump_without_scores(state))
    assert all(result == results[0] for result in results)


def test_activity_after_closing_the_page_waits_for_idle(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(), at_ms), arrived(event("exit", stage=None), at_ms + 1))
    apply(state, arrived(event(), at_ms + SECOND_MS))
    assert lanes_of(state) == {"checkout.web.idle": at_ms + SECOND_MS}


def test_activity_after_a_claim_cancels_it(state: State) -> None:
    outreach = abandon(state)
    happen(state, event())
    assert record(state, outreach)["state"] == "cancelled"
    assert list(lanes_of(state)) == ["checkout.web.idle"]


def test_activity_after_an_order_waits_again(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(), at_ms), arrived(event("order_completed", stage=None), at_ms + 1))
    apply(state, arrived(event(), at_ms + SECOND_MS))
    assert stored(state).state == "waiting"
    assert lanes_of(state) == {"checkout.web.idle": at_ms + SECOND_MS}


def test_activity_after_a_silence_without_outreach_waits_again(state: State) -> None:
    happen(state, event(), ago_ms=HOUR_MS)
    sweep(state)
    assert stored(state).state == "unreachable"
    happen(state, event())
    assert stored(state).state == "waiting"
    assert list(lanes_of(state)) == ["checkout.web.idle"]


def test_session_only_seen_before_starts_like_any_other(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    seen = event("exit", "other", stage=None, previous_session_id="s-1")
    apply(state, arrived(seen, at_ms))
    apply(state, arrived(event(), at_ms + 1))
    assert texts(state, state.keys.session("s-1")).keys() == {"activity", "first.06"}


def test_silence_is_stored_only_when_not_from_the_last_event(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(occurred_at=(at_ms - HOUR_MS) / 1000), at_ms))
    assert stored(state).silent_since_ms == at_ms
    assert texts(state, state.keys.session("s-1"))["seen"] == str(at_ms)
    for later, is_stored in ((event(), set()), (event("payment_pending", expires_at=at_ms / 1000 + 60), {"silent"})):
        at_ms += SECOND_MS
        apply(state, arrived(later, at_ms))
        assert texts(state, state.keys.session("s-1")).keys() & {"seen", "silent"} == is_stored
    assert stored(state).silent_since_ms == at_ms - 2 * SECOND_MS + MINUTE_MS
    apply(state, arrived(event(), at_ms + SECOND_MS))
    assert not texts(state, state.keys.session("s-1")).keys() & {"seen", "silent"}


def test_earlier_silence_moves_down_in_the_lane(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    for after_ms, expires_ms in ((0, HOUR_MS), (SECOND_MS, MINUTE_MS)):
        voucher = event("payment_pending", expires_at=(at_ms + expires_ms) / 1000)
        apply(state, arrived(voucher, at_ms + after_ms))
    assert lanes_of(state) == {"checkout.web.lapsed": at_ms + MINUTE_MS}
    assert stored(state).silent_since_ms == at_ms + MINUTE_MS


def test_session_active_for_hours_keeps_its_ttl(state: State) -> None:
    at_ms = now_ms(state) - 5 * HOUR_MS
    for hours in range(6):
        apply(state, arrived(event(), at_ms + hours * HOUR_MS))
        left = ttl_ms(state, state.keys.session("s-1"))
        assert left is not None
        assert now_ms(state) + left >= at_ms + hours * HOUR_MS + SESSION_TTL_MS


def test_session_in_a_lane_it_left_is_not_claimed_there(state: State) -> None:
    happen(state, event(stage="payment", customer=JANE), ago_ms=HOUR_MS)
    old = state.keys.lane(partition_of("s-1"), "cart_review.web.idle")
    state.client.zadd(old, {"s-1": now_ms(state) - 2 * HOUR_MS})
    assert sweep(state, lanes=["cart_review.web.idle"]) == 0
    assert counters(state) == {}
    assert list(lanes_of(state)) == ["payment.web.idle"]
    assert sweep(state) == 1
