"""Sessions and orders are counted by the hour."""

from detectors.order_flow import delay_step
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, arrived, event
from tests.support.ingest_support import ingest_of, process, publish
from tests.support.stopped_orders import count
from tests.support.stored_state import now_ms, ttl_ms
from worker.runtime import State


def totals(state: State) -> tuple[int, int, int]:
    """Return the sessions at the checkout, those of them that ordered, and the orders of the last days."""
    days = state.orders.counts(now_ms(state))
    return (
        sum(sum(day.checkouts) for day in days),
        sum(sum(day.ordered) for day in days),
        sum(sum(day.arrived) for day in days),
    )


# What is counted


def test_session_and_its_order_count_once_however_often(state: State) -> None:
    for _ in range(3):
        count(state, {"a": 5000, "b": 5000}, {"a": 1000})
    assert totals(state) == (2, 1, 1)
    assert not [*state.client.scan_iter("*:orders:-*")]
    assert state.orders.waiting(0, now_ms(state)) == 1


def test_checkout_after_its_order_does_not_wait_for_one(state: State) -> None:
    count(state, orders={"a": 5000})
    count(state, {"a": 1000})
    assert totals(state) == (0, 0, 1)
    assert state.orders.waiting(0, now_ms(state)) == 0


def test_order_without_a_session_counts_as_an_arrival(state: State) -> None:
    count(state, {"a": 5000}, {"": 1000})
    assert totals(state) == (1, 0, 1)
    assert now_ms(state) - state.orders.flow().last_ms >= 1000
    assert state.orders.waiting(state.orders.flow().last_ms, now_ms(state)) == 0


def test_delay_runs_from_the_checkout_to_the_arrival(state: State) -> None:
    count(state, {"a": 61_000}, {"a": 1000})
    delays: dict[int, int] = {}
    for day in state.orders.counts(now_ms(state)):
        delays |= day.delays
    assert delays == {delay_step(60_000): 1}


def test_last_order_is_the_latest_whatever_the_order_of_arrival(state: State) -> None:
    count(state, orders={"a": 1000})
    last = state.orders.flow().last_ms
    count(state, orders={"b": 60_000})
    assert state.orders.flow().last_ms == last


def test_clock_of_the_future_is_now(state: State) -> None:
    count(state, {"a": -HOUR_MS}, {"b": -HOUR_MS})
    assert state.orders.flow().last_ms <= now_ms(state)
    assert state.orders.waiting(0, now_ms(state)) == 1


def test_sessions_are_forgotten_after_six_hours(state: State) -> None:
    count(state, {"old": 7 * HOUR_MS, "new": 5 * HOUR_MS}, {"bought": 7 * HOUR_MS})
    assert state.client.zcard(state.keys.checkouts) == 1
    assert ttl_ms(state, state.keys.checkouts)
    assert all(ttl_ms(state, key.decode()) for key in state.client.scan_iter("*:orders:*"))


def test_no_session_id_is_kept_with_the_counters(state: State) -> None:
    count(state, {"session-of-jane": 5000}, {"session-of-jane": 1000})
    (member,) = state.scripts.client.zrange(state.keys.checkouts, 0, -1)
    assert member.isdigit()


def test_ingest_counts_checkout_sessions_and_orders(state: State) -> None:
    ingest = ingest_of(state)
    publish(
        state,
        event(session="a", stage="product_selection"),
        event(session="b", stage="cart_review"),
        event(session="c", stage="checkout"),
        event(session="c", stage="payment"),
        event(session="d", stage="payment", customer=JANE),
        event("order_completed", session="d", stage=None),
        event("order_completed", session=None, stage=None, customer=JANE),
        event(session="e", stage="payment", engagement={"metadata": {"bot": True}}),
    )
    ingest.step()
    assert totals(state) == (2, 1, 2)


def test_event_delivered_again_counts_nothing_twice(state: State) -> None:
    entries = [
        arrived(event(session="a"), now_ms(state) - 5000),
        arrived(event("order_completed", session="a", stage=None), now_ms(state) - 1000),
    ]
    process(state, *entries)
    process(state, *entries)
    process(state, *reversed(entries))
    assert totals(state) == (1, 1, 1)
