"""Which contacts an order can be attributed to, how orders find them, and what else is counted."""

from collections.abc import Callable

import pytest

from state.attribution import LATEST_ORDER_MS, Credit
from state.outbox import Result
from state.people import person_of
from tasks.delivery.attempt import attempt
from tests.support.attempts import PERSON, pays, yuno
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.orders import CART, RECOVERED, contacted, let_it_be_ago, merit, order, order_comes, remembered
from tests.support.outreaches import abandon, dispatch, fence, sending, sweep, take
from tests.support.passing_time import let_reservations_age
from tests.support.states import LEASE_MS, LIMITS, SECRET, WINDOW_MS
from tests.support.stored_state import all_counters, counters, now_ms, record, stored, texts, ttl_ms
from worker.runtime import State

# The sort of contact


def test_order_of_a_held_out_person_counts_for_comparison(state: State) -> None:
    contacted(state, result="holdout")
    order_comes(state, order())
    assert merit(state) == {"control.orders@checkout.web": 1, "control.COP@checkout.web": 14_999}
    assert counters(state) == {"suppressed.holdout": 1}


@pytest.mark.parametrize("result", ["dead", "suppressed"])
def test_order_after_an_undelivered_outreach_is_not_credited(state: State, result: str) -> None:
    contacted(state, result=result)
    order_comes(state, order())
    assert merit(state) == {}


def test_order_before_the_request_cancels_and_is_not_credited(state: State) -> None:
    outreach = abandon(state)
    remembered(state, outreach, CART)
    order_comes(state, order())
    assert merit(state) == {}
    assert counters(state) == {"cancelled.paid": 1}


def test_order_during_the_request_is_not_credited(state: State) -> None:
    held = sending(state)
    remembered(state, held.outreach, CART)
    order_comes(state, order(), ago_ms=1)
    state.outbox.settle(held, "sent")
    assert merit(state) == {}


@pytest.mark.parametrize("result", ["unknown", "given_up"])
def test_order_waits_while_the_outreach_is_unknown(state: State, result: str) -> None:
    contacted(state, result=result)
    order_comes(state, order())
    assert merit(state) == {}


@pytest.mark.parametrize("order_first", [False, True])
def test_order_counts_when_an_unknown_outreach_was_sent(
    state: State,
    order_first: bool,  # noqa: FBT001 - a case
) -> None:
    held = contacted(state, result="given_up")
    steps: list[Callable[[], object]] = [
        lambda: order_comes(state, order()),
        lambda: state.outbox.settle(held, "sent"),
    ]
    for step in steps if order_first else reversed(steps):
        step()
    assert merit(state) == RECOVERED
    assert counters(state) == {"sent": 1}


@pytest.mark.parametrize("result", ["dead", "not_sent"])
@pytest.mark.parametrize("order_first", [False, True])
def test_order_is_dropped_when_an_unknown_outreach_was_not_sent(
    state: State,
    result: Result,
    order_first: bool,  # noqa: FBT001 - a case
) -> None:
    held = contacted(state, result="given_up")
    steps: list[Callable[[], object]] = [
        lambda: order_comes(state, order()),
        lambda: state.outbox.settle(held, result, reason="because"),
    ]
    for step in steps if order_first else reversed(steps):
        step()
    assert merit(state) == {}
    assert not {"contacted_at", "order"} & set(record(state, held.outreach))


def test_what_was_opened_again_and_sent_then_counts_from_then_on(state: State) -> None:
    held = contacted(state, result="given_up")
    state.outbox.settle(held, "not_sent", reason="state_unreachable")
    dispatch(state)
    again = take(state, held.outreach)
    fence(state, again)
    state.outbox.settle(again, "sent")
    assert int(record(state, held.outreach)["contacted_at"]) > now_ms(state) - MINUTE_MS


def test_corrected_contact_counts_on_the_day_it_was_made(state: State) -> None:
    held = contacted(state, result="given_up")
    let_it_be_ago(state, held.outreach, DAY_MS)
    yesterday = now_ms(state) // DAY_MS - 1
    number = int(held.outreach[:2])
    # As it would have been counted then.
    today_key, key = state.keys.stats(number, yesterday + 1), state.keys.stats(number, yesterday)
    state.client.hdel(today_key, "unknown.lease_ran_out@checkout.web")
    state.client.hset(key, "unknown.lease_ran_out@checkout.web", 1)
    state.outbox.settle(held, "sent")
    state.client.pexpire(key, DAY_MS)
    assert texts(state, key) == {"unknown.lease_ran_out@checkout.web": "0", "sent@checkout.web": "1"}
    assert "sent@checkout.web" not in texts(state, today_key)


def test_a_contact_is_not_credited_with_an_order_from_before_it(state: State) -> None:
    held = contacted(state)
    at_ms = int(record(state, held.outreach)["contacted_at"])
    assert state.attribution.credit([Credit(held.outreach, at_ms - 1, CART)]) == [False]
    assert state.attribution.credit([Credit(held.outreach, at_ms, CART)]) == [True]


def test_order_finding_an_undelivered_outreach_is_not_credited(state: State) -> None:
    held = contacted(state, result="dead")
    assert state.attribution.credit([Credit(held.outreach, now_ms(state), CART)]) == [False]
    assert "order" not in record(state, held.outreach)


# How an order finds its contact


def test_a_contact_is_found_as_long_as_an_order_may_come_late(state: State) -> None:
    contacted(state)
    left = ttl_ms(state, state.keys.contacts(PERSON))
    assert left is not None
    assert WINDOW_MS + LATEST_ORDER_MS - MINUTE_MS < left <= WINDOW_MS + LATEST_ORDER_MS


def test_contacts_of_long_ago_are_forgotten_though_new_ones_come(state: State) -> None:
    key, now = state.keys.contacts(PERSON), now_ms(state)
    long_ago = now - WINDOW_MS - LATEST_ORDER_MS
    state.client.hset(key, mapping={"07-old": f"{long_ago - 1}", "07-recent": f"{long_ago + MINUTE_MS} COP 1"})
    remembered(state, "07-0123456789abcdef", CART)
    assert sorted(texts(state, key)) == ["07-0123456789abcdef", "07-recent"]


def test_attribution_keeps_no_number_and_only_the_cart_total(state: State) -> None:
    contacted(state)
    (value,) = texts(state, state.keys.contacts(PERSON)).values()
    assert value.split(" ")[1:] == ["COP", "9900"]
    assert person_of(JANE["phone_number"], SECRET) in state.keys.contacts(PERSON)


def test_an_attempt_leads_the_persons_orders_to_its_contact(state: State) -> None:
    cart = {"total_value": 149.99, "currency": "COP", "items": [{"name": "Headphones", "quantity": 1}]}
    happen(state, event(customer=JANE, cart=cart), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    outreach = stored(state).outreach
    with yuno(state) as (deps, _):
        dispatch(state)
        assert attempt(outreach, deps).outcome == "sent"
    let_it_be_ago(state, outreach, HOUR_MS)
    order_comes(state, order(None, value=None, customer=JANE))
    assert merit(state) == RECOVERED


def test_suppressed_person_is_not_remembered_as_contacted(state: State) -> None:
    first, second = "07-0123456789abcdef", "07-fedcba9876543210"
    lead = state.attribution.contact_ref(str(CART), now_ms(state))
    assert state.people.reserve([PERSON], first, 1, lead, LIMITS) == "reserved"
    assert state.people.reserve([PERSON], second, 1, lead, LIMITS) == "held"
    let_reservations_age(state, PERSON, LEASE_MS)
    assert state.people.reserve([PERSON], second, 1, lead, LIMITS) == "limited"
    assert list(texts(state, state.keys.contacts(PERSON))) == [first]


def test_suppressed_attempt_leaves_nothing_with_the_person(state: State) -> None:
    outreach = abandon(state)
    pays(state, "s-other")
    with yuno(state) as (deps, _):
        dispatch(state)
        assert attempt(outreach, deps).outcome == "suppressed"
    assert not state.client.exists(state.keys.contacts(PERSON))


# Sessions


def test_a_session_is_counted_once_where_it_was_first_seen(state: State) -> None:
    happen(state, event(stage="cart_review"), ago_ms=HOUR_MS)
    happen(state, event(stage="checkout"), ago_ms=3 * MINUTE_MS)
    happen(state, event(stage="checkout"), ago_ms=2 * MINUTE_MS)
    happen(state, event("exit", stage="checkout"), ago_ms=MINUTE_MS)
    happen(state, event("opt_out", "s-2", stage=None))
    assert all_counters(state, "sessions") == {"sessions@cart_review.web": 1}
    happen(state, event(session="s-2", stage="payment"))
    happen(state, event("exit", "s-3", stage="payment"))
    assert all_counters(state, "sessions") == {"sessions@cart_review.web": 1, "sessions@payment.web": 2}


def test_order_with_only_an_address_is_credited_once(state: State) -> None:
    mail = {"email": "jane@example.com"}
    happen(state, event(customer=JANE | mail), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    outreach = stored(state).outreach
    with yuno(state) as (deps, _):
        dispatch(state)
        assert attempt(outreach, deps).outcome == "sent"
    let_it_be_ago(state, outreach, HOUR_MS)
    for _ in range(2):
        order_comes(state, order("elsewhere", customer=mail))
    assert merit(state) == {"recovered.orders@checkout.web": 1, "recovered.COP@checkout.web": 14_999}
