"""Orders that stop while sessions still reach the checkout: what is counted, what is concluded, what is then held."""

from dataclasses import replace
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from detectors.order_flow import Hour, delay_step
from detectors.settings import DetectionSettings
from state.alarms import Alarms
from state.orders import Counts, OrderFlow
from state.outbox import Taken
from state.sending_control import Passed
from tasks.delivery.attempt import attempt
from tasks.delivery.sending import Outcome
from tasks.deps import Deps
from tasks.dispatch import dispatch
from tasks.order_flow import look, past_of
from tests.support.attempts import deps_of, yuno
from tests.support.controlling import control, granted, held, sending
from tests.support.helpers import (
    DAY_MS,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    arrived,
    counters,
    event,
    now_ms,
    score_of,
    texts,
    ttl_ms,
)
from tests.support.helpers import dispatch as lease
from tests.support.ingesting import ingest_of, process, publish
from worker.runtime import State

Setting = Literal["alarm", "hold", "off"]


def count(state: State, checkouts: dict[str, int] | None = None, orders: dict[str, int] | None = None) -> None:
    """Count sessions at the checkout and orders, each so long ago (ms)."""
    now = now_ms(state)
    moments = [[(name, now - ago_ms) for name, ago_ms in (found or {}).items()] for found in (checkouts, orders)]
    state.scripts.begin_calls(state.orders.count(*moments))()


def totals(state: State) -> tuple[int, int, int]:
    """Sessions at the checkout, those of them that ordered, and orders that arrived: of the last days."""
    days = state.orders.counts(now_ms(state))
    return (
        sum(sum(day.checkouts) for day in days),
        sum(sum(day.ordered) for day in days),
        sum(sum(day.arrived) for day in days),
    )


def stop(state: State, *, hold: bool = True, level: str = "stopped") -> None:
    judged = state.orders.flow().last_ms
    assert state.orders.record(level, judged_ms=judged, hold=hold, run=30, rate=0.5)[0] == level


def order_again(state: State, ago_ms: int = 0) -> None:
    count(state, orders={"later": ago_ms})
    assert state.orders.record("fine", judged_ms=state.orders.flow().last_ms, hold=True, run=0, rate=0.5)[0] == "fine"


def _held(state: State, ago_ms: int) -> Taken:
    """An outreach in a worker's hands, of somebody who fell silent so long ago."""
    return replace(held(1), last=(now_ms(state) - ago_ms) * 100)


# What is counted


def test_session_and_its_order_count_once_however_often(state: State) -> None:
    for _ in range(3):
        count(state, {"a": 5000, "b": 5000}, {"a": 1000})
    assert totals(state) == (2, 1, 1)
    assert not [*state.client.scan_iter("*:orders:-*")]
    assert state.orders.waiting(0, now_ms(state)) == 1


def test_checkout_that_arrives_after_its_order_does_not_wait_for_one(state: State) -> None:
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


def test_ingest_counts_sessions_at_checkout_or_payment_and_orders(state: State) -> None:
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


# What is concluded


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
    assert sending(state).going == "orders_stopped"
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
    permits = by.permits(10, in_hand=0)
    assert (permits.granted, permits.going, permits.news) == (0, "orders_stopped", True)
    assert by.gate(held()) == "orders_stopped"
    order_again(state)
    assert by.permits(10, in_hand=0).going == "on"


def test_alarm_alone_holds_nothing(state: State) -> None:
    count(state, orders={"a": 8000})
    stop(state, hold=False)
    assert granted(control(state)) == 100
    assert control(state).gate(held()) == Passed("", watched=False)


def test_no_probe_is_sent_while_held(state: State) -> None:
    by = control(state, failures=1)
    by.record(held(), "refused", "http_401")
    state.client.hset(f"{state.keys.control}sending", "retry_at", 1)
    count(state, orders={"a": 8000})
    stop(state)
    assert granted(by) == 0
    order_again(state)
    assert granted(by) == 1


def test_pause_by_hand_is_told_before_the_hold(state: State) -> None:
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
    assert by.gate(held()) == Passed("", watched=False)
    state.client.hincrby(state.keys.orders, "released", -HOUR_MS)
    assert granted(by) == 0
    order_again(state)
    assert not by.resume().orders_held


@pytest.mark.parametrize(
    ("ago_ms", "verdict"),
    [(3 * HOUR_MS, "go"), (HOUR_MS, "missed"), (MINUTE_MS, "missed"), (-MINUTE_MS, "go")],
)
def test_who_fell_silent_while_no_orders_arrived_is_left_alone(state: State, ago_ms: int, verdict: str) -> None:
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


def test_without_a_hold_nobody_is_left_alone_afterwards(state: State) -> None:
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


def test_attempt_at_somebody_whose_order_may_be_missing_sends_nothing(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    outreach = abandon(state)
    assert outreach in lease(state)
    stop(state)
    order_again(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == Outcome(outreach, "suppressed", "orders_missing")
        assert not server.requests
    assert counters(state) == {"suppressed.orders_missing": 1}


def test_outreach_in_a_workers_hands_goes_back_to_its_place(state: State) -> None:
    count(state, orders={"a": 2 * HOUR_MS})
    outreach = abandon(state)
    assert outreach in lease(state)
    stop(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == Outcome(outreach, "postponed", "sending_orders_stopped")
        assert not server.requests
    assert score_of(state, state.keys.due(int(outreach[:2])), outreach) is not None


# The whole of it: 200 sessions of which 60 of 100 order, and then no order arrives any more


def detection(setting: Setting) -> DetectionSettings:
    return DetectionSettings(orders_stopped=setting)


def shop(state: State, *, after: int, setting: Setting, ago_ms: int = 0) -> tuple[Deps, list[Any]]:
    """Let a shop lose its orders, so long ago, and look as the sweep does; return what was logged."""
    now = now_ms(state) - ago_ms
    before = {f"b{number}": (60 + number) * SECOND_MS + ago_ms for number in range(200)}
    placed = {f"b{number}": (59 + number) * SECOND_MS + ago_ms for number in range(200) if number % 5 < 3}
    count(state, before, placed)
    count(state, {f"a{number}": (40 - number % 30) * SECOND_MS + ago_ms for number in range(after)})
    deps = deps_of(state)
    with capture_logs() as logs:
        look(detection(setting), deps, until_ms=now)
    return deps, logs


@pytest.mark.parametrize("setting", ["alarm", "hold"])
def test_alarm_comes_with_the_first_look_after_enough_sessions(state: State, setting: Setting) -> None:
    deps, (alarm,) = shop(state, after=30, setting=setting)
    assert (alarm["event"], alarm["alarm"], alarm["log_level"]) == ("alarm", "orders", "error")
    assert alarm["text"].startswith("no order has arrived since 30 sessions had the time to order")
    flow = state.orders.flow()
    assert (flow.level, flow.run, flow.held) == ("stopped", 30, setting == "hold")
    with capture_logs() as logs:
        look(detection(setting), deps, until_ms=now_ms(state))
    assert logs == []


@pytest.mark.parametrize("into_the_hour_s", [5, 45, 150, 259])
def test_alarm_comes_whatever_hours_the_sessions_fall_into(state: State, into_the_hour_s: int) -> None:
    ago_ms = (now_ms(state) - into_the_hour_s * SECOND_MS) % HOUR_MS
    _, logs = shop(state, after=30, setting="alarm", ago_ms=ago_ms)
    assert [line["alarm"] for line in logs] == ["orders"]


def test_hold_leaves_everything_due(state: State) -> None:
    deps, _ = shop(state, after=30, setting="hold")
    outreach = abandon(state)
    done = dispatch(deps, queued=lambda: 0, enqueue=lambda _ids: None)
    assert done.enqueued == 0
    assert score_of(state, state.keys.due(int(outreach[:2])), outreach) is not None


def test_alarm_is_told_once_by_the_sweep_and_the_watch(state: State) -> None:
    shop(state, after=30, setting="alarm")
    alarms = Alarms(state.scripts, state.keys)
    before = now_ms(state) - MINUTE_MS
    assert alarms.record({}, again_ms=MINUTE_MS, looked_ms=before) == []
    assert alarms.record({"orders": 2}, again_ms=MINUTE_MS) == []
    assert [change.went for change in alarms.record({}, again_ms=MINUTE_MS)] == ["over"]


def test_few_sessions_without_an_order_are_no_alarm(state: State) -> None:
    _, logs = shop(state, after=8, setting="hold")
    assert logs == []
    assert state.orders.flow().level == "fine"


def test_sending_waits_in_doubt_with_hold_only(state: State) -> None:
    shop(state, after=15, setting="hold")
    assert state.orders.flow().level == "doubtful"
    assert control(state).permits(1, in_hand=0).going == "orders_stopped"
    look(detection("alarm"), deps_of(state), until_ms=now_ms(state))
    assert control(state).permits(1, in_hand=0).going == "on"


def test_fresh_sessions_are_not_counted_as_missing_orders(state: State) -> None:
    now = now_ms(state)
    count(state, {f"b{n}": HOUR_MS for n in range(200)}, {f"b{n}": HOUR_MS - 5 * MINUTE_MS for n in range(120)})
    count(state, {f"a{n}": 4 * MINUTE_MS for n in range(200)})
    look(detection("hold"), deps_of(state), until_ms=now)
    assert state.orders.flow().level == "fine"
    look(detection("hold"), deps_of(state), until_ms=now + 3 * MINUTE_MS)
    assert state.orders.flow().level == "stopped"


def test_what_is_not_applied_yet_is_not_judged(state: State) -> None:
    _, logs = shop(state, after=0, setting="alarm")
    count(state, {f"a{n}": 20 * SECOND_MS for n in range(40)})
    look(detection("alarm"), deps_of(state), until_ms=now_ms(state) - 30 * SECOND_MS)
    assert (logs, state.orders.flow().level) == ([], "fine")


def test_order_ends_alarm_and_hold_and_says_so(state: State) -> None:
    deps, _ = shop(state, after=30, setting="hold")
    count(state, orders={"b3": 0})
    with capture_logs() as logs:
        look(detection("hold"), deps, until_ms=now_ms(state))
    assert [line["event"] for line in logs] == ["orders_resumed"]
    assert control(state).permits(1, in_hand=0).going == "on"


def test_past_without_the_lost_orders_keeps_its_rate(state: State) -> None:
    deps, _ = shop(state, after=30, setting="alarm")
    first = state.orders.flow().rate
    count(state, {f"c{n}": 10 * SECOND_MS for n in range(500)})
    look(detection("alarm"), deps, until_ms=now_ms(state))
    assert state.orders.flow().rate == first
    assert state.orders.flow().run == 530


def test_switched_off_nobody_looks(state: State) -> None:
    deps, _ = shop(state, after=30, setting="hold")
    assert state.orders.flow().held
    with capture_logs() as logs:
        look(detection("off"), deps, until_ms=now_ms(state))
    assert (logs, state.orders.flow().level) == ([], "fine")
    shop(state, after=60, setting="off")
    assert state.orders.flow().level == "fine"


def test_shop_that_never_sent_an_order_gets_another_text(state: State) -> None:
    count(state, {f"s{n}": HOUR_MS for n in range(400)})
    with capture_logs() as logs:
        look(detection("alarm"), deps_of(state), until_ms=now_ms(state))
    (alarm,) = logs
    assert alarm["text"] == (
        "no order has ever arrived, though 400 sessions reached the checkout: buyers are contacted"
    )
    assert state.orders.flow().level == "never"


def test_first_day_is_no_measure_for_the_clock() -> None:
    def day(orders: int) -> Counts:
        return Counts([0] * 24, [0] * 24, [orders] * 24, {})

    assert past_of([day(1), day(2)], 0).arrivals == []
    assert past_of([day(1), day(2), day(3), day(0)], 0).arrivals == [[2] * 24]
    assert past_of([day(1), day(2), day(3)], 0).most_a_day == 72


def test_sessions_that_are_judged_are_no_part_of_the_past() -> None:
    hours = [0] * 22 + [10, 10]
    today = Counts([5] + [0] * 23, [1] + [0] * 23, [0] * 24, {})
    yesterday = Counts(hours, [0] * 22 + [6, 6], [0] * 24, {})
    past = past_of([today, yesterday], 7)
    assert [hour for hour in past.hours if hour.checkouts] == [Hour(10, 6), Hour(7, 6), Hour(1, 1)]


def test_counters_of_a_day_are_found_by_their_key(state: State) -> None:
    count(state, {"a": 0})
    assert "c" in {name[0] for name in texts(state, state.keys.orders_of(now_ms(state) // DAY_MS))}
