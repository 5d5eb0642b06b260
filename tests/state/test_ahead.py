"""A clock was ahead for a while: what was written then freezes no session."""

import json
from typing import Any

import pytest

from detectors.sequence import RANK_SPAN
from state.keys import SESSION_TTL_MS
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, Event, apply, arrived, event, happen
from tests.support.ingest_support import ingest_of, publish_raw, rejected
from tests.support.outreaches import WAIT_MS, cut_offs, sweep
from tests.support.stored_state import lanes_of, now_ms, stored, texts, ttl_ms
from worker.runtime import State

LATE = [
    event(),
    event("exit"),
    event("order_completed", stage="checkout"),
    event("payment_pending", expires_at="2099-01-01T00:00:00Z"),
]
CLAIMS: Any = {"max_age_ms": DAY_MS, "required": ()}


def is_about_now(state: State, ms: int) -> bool:
    return now_ms(state) - MINUTE_MS < ms <= now_ms(state)


def ahead(state: State, *made: Event, by_ms: int = 400 * DAY_MS) -> None:
    """Apply events that an ingest process couldn't tell from new ones."""
    apply(state, *(arrived(one, now_ms(state) + by_ms) for one in made))


@pytest.mark.parametrize("stream_is_ahead_ms", [HOUR_MS, 400 * DAY_MS])
def test_what_seems_to_arrive_in_the_future_arrives_now(state: State, stream_is_ahead_ms: int) -> None:
    state.streams.first.create_group()
    at_ms = now_ms(state) + stream_is_ahead_ms
    publish_raw(state, json.dumps(event(customer=JANE)).encode(), at=f"{at_ms}-0")
    publish_raw(state, json.dumps(event("exit", "s-2")).encode(), at=f"{at_ms}-1")
    ingest_of(state).step()
    assert rejected(state) == []
    for session in ("s-1", "s-2"):
        assert is_about_now(state, stored(state, session).silent_since_ms)
        assert is_about_now(state, stored(state, session).activity // RANK_SPAN)


@pytest.mark.parametrize("later", LATE, ids=["activity", "exit", "order", "voucher"])
def test_a_session_from_the_future_moves_with_its_next_event(state: State, later: Event) -> None:
    ahead(state, later)
    happen(state, event(stage="payment"))
    happen(state, event(stage="payment"), ago_ms=-SECOND_MS)
    is_now = stored(state)
    assert list(lanes_of(state)) == ["payment.web.idle"]
    assert is_about_now(state, is_now.silent_since_ms - SECOND_MS)
    assert is_now.purchase <= is_now.activity


@pytest.mark.parametrize("later", LATE, ids=["activity", "exit", "order", "voucher"])
def test_an_old_event_brings_a_session_back_from_the_future(state: State, later: Event) -> None:
    ahead(state, later)
    happen(state, event(stage="payment"), ago_ms=HOUR_MS)
    assert is_about_now(state, stored(state).silent_since_ms)
    assert max(lanes_of(state).values(), default=0) <= now_ms(state)


def test_a_field_from_the_future_gives_way_to_the_next_one(state: State) -> None:
    ahead(state, event(customer={"full_name": "Jane", "consent": {"call": True}}))
    happen(state, event(customer={"consent": {"call": False}}))
    assert (stored(state).fields["name"], stored(state).fields["consent.call"]) == ("Jane", "false")


@pytest.mark.parametrize("stage", ["checkout", "payment"])
def test_a_sweep_puts_back_to_now_what_waits_from_the_future_on(state: State, stage: str) -> None:
    ahead(state, event(stage=stage, customer=JANE))
    assert sweep(state) == 0
    assert is_about_now(state, stored(state).silent_since_ms)
    assert is_about_now(state, lanes_of(state)[f"{stage}.web.idle"])
    left = ttl_ms(state, state.keys.session("s-1"))
    assert left is not None
    assert left <= SESSION_TTL_MS + HOUR_MS
    assert sweep(state, silent_for_ms=-MINUTE_MS) == 1


@pytest.mark.parametrize("swept", [False, True])
def test_an_order_of_now_is_later_than_activity_from_the_future(state: State, *, swept: bool) -> None:
    """It arrived before the sweep put the activity back, and is applied after that."""
    ahead(state, event(customer=JANE))
    paid = arrived(event("order_completed", stage=None), now_ms(state) - SECOND_MS)
    if swept:
        sweep(state)
    apply(state, paid)
    assert stored(state).state == "bought"


def test_an_order_from_the_future_is_later_than_activity_of_now(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=SECOND_MS)
    ahead(state, event("order_completed", stage=None))
    happen(state, event("exit", stage=None))
    assert stored(state).state == "bought"


def test_a_sweep_leaves_a_voucher_its_time_and_a_far_one_not(state: State) -> None:
    expires_ms = now_ms(state) + 29 * DAY_MS
    happen(state, event("payment_pending", expires_at=expires_ms / 1000))
    ahead(state, event("payment_pending", "s-2", expires_at="2099-01-01T00:00:00Z"))
    sweep(state)
    assert stored(state).silent_since_ms == lanes_of(state)["checkout.web.lapsed"] == expires_ms
    assert is_about_now(state, stored(state, "s-2").silent_since_ms)
    assert is_about_now(state, lanes_of(state, "s-2")["checkout.web.lapsed"])


def test_clocks_that_differ_a_little_change_nothing(state: State) -> None:
    ahead(state, event(), by_ms=MINUTE_MS)
    before = texts(state, state.keys.session("s-1"))
    sweep(state)
    happen(state, event("exit"), ago_ms=WAIT_MS)
    assert texts(state, state.keys.session("s-1"))["activity"] == before["activity"]
    assert stored(state).silent_since_ms > now_ms(state)


def test_missing_session_is_removed_from_its_lane(state: State) -> None:
    ahead(state, event())
    state.client.delete(state.keys.session("s-1"))
    lanes = cut_offs(now_ms(state), lanes=["checkout.web.idle"])
    state.sessions.claim(lanes, **CLAIMS)
    state.sessions.claim(cut_offs(now_ms(state) + MINUTE_MS, lanes=["checkout.web.idle"]), **CLAIMS)
    assert lanes_of(state) == {}
