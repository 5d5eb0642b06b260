"""What is held while no orders arrive, and for which shoppers."""

from dataclasses import replace
from typing import Any

import pytest

from state.orders import OrderFlow
from state.outbox import Taken
from state.sending_control import Admitted
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import yuno
from tests.support.control_support import control, granted, held, sending
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.outreaches import abandon
from tests.support.outreaches import dispatch as lease
from tests.support.stopped_orders import count
from tests.support.stored_state import counters, now_ms, score_of
from worker.runtime import State


def stop(state: State, *, hold: bool = True, level: str = "stopped") -> None:
    judged = state.orders.flow().last_ms
    assert state.orders.record(level, judged_ms=judged, hold=hold, run=30, rate=0.5)[0] == level


def order_again(state: State, ago_ms: int = 0) -> None:
    count(state, orders={"later": ago_ms})
    assert state.orders.record("fine", judged_ms=state.orders.flow().last_ms, hold=True, run=0, rate=0.5)[0] == "fine"


def _held(state: State, ago_ms: int) -> Taken:
    """Return a taken outreach of a shopper who fell silent this long ago."""
    return replace(held(1), last=(now_ms(state) - ago_ms) * 100)


# The verdict


def test_stopped_lasts_until_an_order_arrives(state: State) -> None:
    count(state, {"a": 9000}, {"a": 8000})
    stop(state)
    last = state.orders.flow().last_ms
    assert state.orders.record("fine", judged_ms=last, hold=True, run=0, rate=0.5) == ("stopped", False)
    count(state, orders={"b": 0})
    last = state.orders.flow().last_ms
    assert state.orders.record("fine", judged_ms=last, hold=True, run=0, rate=0.5) == ("fine", True)
    assert state.orders.flow() == OrderFlow(last_ms=last)


def test_verdict_from_before_an_order_counts_for_nothing(state: State) -> None:
    count(state, orders={"a": 8000})
    judged = state.orders.flow().last_ms
    count(state, orders={"b": 0})
    assert state.orders.record("stopped", judged_ms=judged, hold=True, run=30, rate=0.5) == ("fine", False)
    assert not state.orders.flow().held


def test_stop_is_news_once(state: State) -> None:
    count(state, orders={"a": 8000})
    last = state.orders.flow().last_ms
    found = [state.orders.record("stopped", judged_ms=last, hold=False, run=30 + n, rate=0.5) for n in range(3)]
    assert found == [("stopped", True), ("stopped", False), ("stopped", False)]
    assert state.orders.flow().run == 32


def test_doubt_is_no_news_and_passes(state: State) -> None:
    count(state, orders={"a": 8000})
    last = state.orders.flow().last_ms
    assert state.orders.record("doubtful", judged_ms=last, hold=True, run=12, rate=0.5) == ("doubtful", False)
    assert sending(state).sending_state == "orders_stopped"
    assert state.orders.record("fine", judged_ms=last, hold=True, run=12, rate=0.5) == ("fine", False)


def test_switching_it_off_ends_everything(state: State) -> None:
    count(state, orders={"a": 8000})
    stop(state)
    assert state.orders.record("off", judged_ms=0, hold=False, run=0, rate=0)[0] == "fine"
    assert granted(control(state)) == 100
    assert not state.client.exists(f"{state.keys.control}gaps")


# What is held


def test_nothing_is_dispatched_or_passes_while_held(state: State) -> None:
    by = control(state)
    count(state, orders={"a": 8000})
    stop(state)
    permits = by.permits(10, in_flight=0)
    assert (permits.granted, permits.sending_state, permits.changed) == (0, "orders_stopped", True)
    assert by.gate(held()) == "orders_stopped"
    order_again(state)
    assert by.permits(10, in_flight=0).sending_state == "on"


def test_alarm_without_hold_blocks_nothing(state: State) -> None:
    count(state, orders={"a": 8000})
    stop(state, hold=False)
    assert granted(control(state)) == 100
    assert control(state).gate(held()) == Admitted("", watched=False)


def test_no_probe_is_sent_while_held(state: State) -> None:
    by = control(state, failures=1)
    by.report_outcome(held(), "refused", "http_401")
    state.client.hset(f"{state.keys.control}sending", "retry_at", 1)
    count(state, orders={"a": 8000})
    stop(state)
    assert granted(by) == 0
    order_again(state)
    assert granted(by) == 1


def test_manual_pause_is_reported_before_the_hold(state: State) -> None:
    by = control(state)
    count(state, orders={"a": 8000})
    stop(state)
    by.pause("lunch")
    assert by.gate(held()) == "paused"


def test_resume_sends_for_an_hour_all_the_same(state: State) -> None:
    by = control(state)
    count(state, orders={"a": 8000})
    stop(state)
    assert by.resume().orders_held
    assert granted(by) == 100
    stop(state)
    assert granted(by) == 100
    assert by.gate(held()) == Admitted("", watched=False)
    state.client.hincrby(state.keys.orders, "released", -HOUR_MS)
    assert granted(by) == 0
    order_again(state)
    assert not by.resume().orders_held


@pytest.mark.parametrize(
    ("ago_ms", "verdict"),
    [(3 * HOUR_MS, "go"), (HOUR_MS, "missed"), (MINUTE_MS, "missed"), (-MINUTE_MS, "go")],
)
def test_session_silent_without_orders_is_not_contacted(state: State, ago_ms: int, verdict: str) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    stop(state)
    order_again(state)
    found = control(state).gate(_held(state, ago_ms))
    assert (found if isinstance(found, str) else "go") == verdict


def test_of_several_times_without_orders_each_counts(state: State) -> None:
    count(state, orders={"a": 5 * HOUR_MS})
    stop(state)
    order_again(state)
    gaps = f"{state.keys.control}gaps"
    (begin,) = state.client.zrange(gaps, 0, -1)
    client: Any = state.client
    client.zadd(gaps, {begin: now_ms(state) - 4 * HOUR_MS})
    state.client.hset(state.keys.orders, "last", now_ms(state) - HOUR_MS)
    stop(state)
    order_again(state)
    by, hours = control(state), (6, 4.5, 2, 0.5)
    found = [by.gate(_held(state, int(hour * HOUR_MS))) for hour in hours]
    assert [verdict == "missed" for verdict in found] == [False, True, False, True]


def test_without_a_hold_sessions_are_contacted_afterwards(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    stop(state, hold=False)
    order_again(state)
    assert not isinstance(control(state).gate(_held(state, HOUR_MS)), str)


def test_resume_lets_them_be_contacted_after_all(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    stop(state)
    by = control(state)
    by.resume()
    order_again(state)
    assert not isinstance(by.gate(_held(state, HOUR_MS)), str)


def test_resume_after_the_orders_lets_them_be_contacted(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    stop(state)
    order_again(state)
    by = control(state)
    assert by.gate(_held(state, HOUR_MS)) == "missed"
    by.resume()
    assert not isinstance(by.gate(_held(state, HOUR_MS)), str)


def test_gap_begins_again_when_a_resume_has_passed(state: State) -> None:
    count(state, orders={"a": 3 * HOUR_MS})
    stop(state)
    by = control(state)
    by.resume()
    state.client.hincrby(state.keys.orders, "released", -2 * HOUR_MS)
    order_again(state)
    assert not isinstance(by.gate(_held(state, 2 * HOUR_MS)), str)
    assert by.gate(_held(state, HOUR_MS // 2)) == "missed"


def test_attempt_whose_order_can_be_missing_sends_nothing(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    outreach = abandon(state)
    assert outreach in lease(state)
    stop(state)
    order_again(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "suppressed", "orders_missing")
        assert not server.requests
    assert counters(state) == {"suppressed.orders_missing": 1}


def test_outreach_in_a_workers_hands_goes_back_to_its_place(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    outreach = abandon(state)
    assert outreach in lease(state)
    stop(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "postponed", "sending_orders_stopped")
        assert not server.requests
    assert score_of(state, state.keys.due(int(outreach[:2])), outreach) is not None
