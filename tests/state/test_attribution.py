"""The attribution of orders: what is counted, where and when, and what isn't."""

import pytest

from state.daily_counters import read as read_tallies
from state.errors import ServerUnavailableError
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, arrived, event
from tests.support.ingest_support import Breaking, ingest_of, process, publish
from tests.support.orders import (
    CART,
    OTHER_PHONE,
    RECOVERED,
    contacted,
    let_it_be_ago,
    merit,
    order,
    order_comes,
    remembered,
)
from tests.support.outreaches import fence, taken
from tests.support.states import WINDOW_MS
from tests.support.stored_state import now_ms, record
from worker.runtime import State

# The person of an order


def test_order_of_the_contacted_session_is_credited_with_value(state: State) -> None:
    contacted(state)
    order_comes(state, order())
    assert merit(state) == RECOVERED


@pytest.mark.parametrize("session", ["s-other", None])
def test_so_is_one_of_the_same_person_elsewhere(state: State, session: str | None) -> None:
    contacted(state)
    order_comes(state, order(session, customer=JANE))
    assert merit(state) == RECOVERED


def test_order_of_a_session_identified_later_is_credited(state: State) -> None:
    contacted(state)
    order_comes(state, order("s-other"), ago_ms=SECOND_MS)
    assert merit(state) == {}
    order_comes(state, event(session="s-other", stage=None, customer=JANE))
    assert merit(state) == RECOVERED


def test_order_of_a_session_with_a_new_number_is_credited(state: State) -> None:
    contacted(state)
    order_comes(state, order(customer={**JANE, "phone_number": OTHER_PHONE}))
    assert merit(state) == RECOVERED


def test_order_of_another_person_is_not_credited(state: State) -> None:
    contacted(state)
    order_comes(state, order("s-other", customer={**JANE, "phone_number": OTHER_PHONE}))
    assert merit(state) == {}


def test_order_is_credited_once_to_the_last_contact_before_it(state: State) -> None:
    first, second = contacted(state, ago_ms=3 * HOUR_MS), contacted(state, "s-2", ago_ms=2 * HOUR_MS)
    contacted(state, "s-3", ago_ms=0)
    order_comes(state, order(None, customer=JANE), ago_ms=HOUR_MS)
    assert merit(state) == RECOVERED
    assert "order" in record(state, second.outreach)
    assert "order" not in record(state, first.outreach)


# When it was made


@pytest.mark.parametrize(
    ("contact_ago_ms", "order_ago_ms", "counts"),
    [
        (HOUR_MS, HOUR_MS + MINUTE_MS, False),
        (HOUR_MS, HOUR_MS - MINUTE_MS, True),
        (WINDOW_MS + HOUR_MS, HOUR_MS + MINUTE_MS, True),
        (WINDOW_MS + HOUR_MS, HOUR_MS - MINUTE_MS, False),
    ],
)
def test_order_counts_only_within_the_window_after_contact(
    state: State,
    contact_ago_ms: int,
    order_ago_ms: int,
    counts: bool,  # noqa: FBT001 - a case
) -> None:
    contacted(state, ago_ms=contact_ago_ms)
    order_comes(state, order(), ago_ms=order_ago_ms)
    assert merit(state) == (RECOVERED if counts else {})


@pytest.mark.parametrize(("late_ms", "counts"), [(0, True), (1, False)])
def test_the_last_millisecond_of_the_window_counts(
    state: State,
    late_ms: int,
    counts: bool,  # noqa: FBT001 - a case
) -> None:
    held = contacted(state, ago_ms=WINDOW_MS + HOUR_MS)
    at_ms = int(record(state, held.outreach)["contacted_at"]) + WINDOW_MS + late_ms
    process(state, arrived(order(), at_ms))
    assert merit(state) == (RECOVERED if counts else {})


def test_an_order_in_the_millisecond_of_the_contact_counts(state: State) -> None:
    held = contacted(state)
    process(state, arrived(order(), int(record(state, held.outreach)["contacted_at"])))
    assert merit(state) == RECOVERED


def test_an_order_counts_when_it_was_made_not_when_it_arrived(state: State) -> None:
    contacted(state)
    made_ms = now_ms(state) - 2 * HOUR_MS
    order_comes(state, order(occurred_at=made_ms / 1000))
    assert merit(state) == {}


def test_orders_and_contacts_count_on_the_day_of_the_contact(state: State) -> None:
    held = taken(state)
    remembered(state, held.outreach, None)
    fence(state, held)
    state.outbox.settle(held, "sent")
    let_it_be_ago(state, held.outreach, DAY_MS)
    order_comes(state, order())
    today = now_ms(state) // DAY_MS
    found = read_tallies(state.scripts, state.keys, today - 1, today)
    assert {(t.stage, t.platform) for t in found if t.name != "silent_hour"} == {("checkout", "web")}
    days = {(t.name, t.detail): today - t.day for t in found}
    assert (days["recovered", "orders"], days["recovered", "COP"]) == (1, 1)
    assert (days["sessions", ""], days["silent", "idle"], days["sent", ""]) == (0, 0, 0)


# Counted once


def test_an_order_that_comes_twice_counts_once(state: State) -> None:
    contacted(state)
    made = arrived(order(), now_ms(state))
    for _ in range(2):
        process(state, made)
        order_comes(state, order())
    assert merit(state) == RECOVERED


@pytest.mark.parametrize("later_first", [False, True])
def test_first_of_two_orders_counts_in_any_sequence(
    state: State,
    later_first: bool,  # noqa: FBT001 - a case
) -> None:
    contacted(state)
    at_ms = now_ms(state)
    made = [arrived(order(), at_ms - MINUTE_MS), arrived(order(value=500), at_ms)]
    for one in reversed(made) if later_first else made:
        process(state, one)
    assert merit(state) == RECOVERED


@pytest.mark.parametrize("later_first", [False, True])
def test_order_with_a_value_replaces_one_without(
    state: State,
    later_first: bool,  # noqa: FBT001 - a case
) -> None:
    contacted(state)
    at_ms = now_ms(state)
    made = [arrived(order(value=None), at_ms - MINUTE_MS), arrived(order(), at_ms)]
    for one in reversed(made) if later_first else made:
        process(state, one)
    assert merit(state) == RECOVERED


@pytest.mark.parametrize("method", ["candidates", "contacted_at", "credit"])
@pytest.mark.parametrize("after", [False, True])
def test_crash_before_the_contact_loses_and_doubles_no_credit(
    state: State,
    method: str,
    after: bool,  # noqa: FBT001 - a case
) -> None:
    contacted(state)
    publish(state, order())
    attribution = Breaking(state.attribution, method, ServerUnavailableError, times=1, after=after)
    ingest = ingest_of(state, attribution=attribution)
    with pytest.raises(ServerUnavailableError):
        ingest.step()
    assert state.streams.watermark().first
    ingest.step()
    assert not state.streams.watermark().first
    assert merit(state) == RECOVERED


def test_a_batch_without_orders_asks_nothing_of_redis(state: State) -> None:
    contacted(state)
    publish(state, event(), event("exit"), event("opt_out", stage=None))
    ingest = ingest_of(state, attribution=object())
    ingest.step()
    assert not state.streams.watermark().first


# Its value


def test_order_without_value_is_worth_its_cart(state: State) -> None:
    contacted(state)
    order_comes(state, order(value=None))
    assert merit(state) == {"recovered.orders@checkout.web": 1, "recovered.COP@checkout.web": CART.units}


def test_an_order_may_bring_its_own_cart(state: State) -> None:
    contacted(state)
    order_comes(state, order(value=None, cart={"total_value": 149.99, "currency": "COP"}))
    assert merit(state) == RECOVERED


def test_an_order_of_unknown_value_is_counted_without_one(state: State) -> None:
    held = taken(state)
    remembered(state, held.outreach, None)
    fence(state, held)
    state.outbox.settle(held, "sent")
    let_it_be_ago(state, held.outreach, HOUR_MS)
    order_comes(state, order(value=None))
    assert merit(state) == {"recovered.orders@checkout.web": 1, "recovered.unpriced@checkout.web": 1}


def test_no_sum_drifts(state: State) -> None:
    for number in range(10):
        session = f"s-{number}"
        contacted(state, session)
        order_comes(state, order(session, value=0.1))
    assert merit(state) == {"recovered.orders@checkout.web": 10, "recovered.COP@checkout.web": 100}
