"""Orders that stop while sessions still reach the checkout: the counts, the verdict, and the hold."""

from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from detectors.order_flow import Hour
from detectors.settings import DetectionSettings
from state.alarms import Alarms
from state.orders import Counts
from tasks.deps import Deps
from tasks.dispatch import dispatch
from tasks.order_flow import check_orders, past_of
from tests.support.attempts import deps_of
from tests.support.control_support import control
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.outreaches import abandon
from tests.support.stopped_orders import count
from tests.support.stored_state import now_ms, score_of, texts
from worker.runtime import State

Setting = Literal["alarm", "hold", "off"]


# The whole path: 200 sessions of which 60 of 100 order, and then no more orders


def detection(setting: Setting) -> DetectionSettings:
    return DetectionSettings(orders_stopped=setting)


def shop(state: State, *, after: int, setting: Setting, ago_ms: int = 0) -> tuple[Deps, list[Any]]:
    """Let a shop lose its orders this long ago, and check as the sweep does; return the log."""
    now = now_ms(state) - ago_ms
    before = {f"b{number}": (60 + number) * SECOND_MS + ago_ms for number in range(200)}
    placed = {f"b{number}": (59 + number) * SECOND_MS + ago_ms for number in range(200) if number % 5 < 3}
    count(state, before, placed)
    count(state, {f"a{number}": (40 - number % 30) * SECOND_MS + ago_ms for number in range(after)})
    deps = deps_of(state)
    with capture_logs() as logs:
        check_orders(detection(setting), deps, until_ms=now)
    return deps, logs


@pytest.mark.parametrize("setting", ["alarm", "hold"])
def test_alarm_comes_with_the_first_look_after_enough_sessions(state: State, setting: Setting) -> None:
    deps, (alarm,) = shop(state, after=30, setting=setting)
    assert (alarm["event"], alarm["alarm"], alarm["log_level"]) == ("alarm", "orders", "error")
    assert alarm["text"].startswith("no order has arrived since 30 sessions had the time to order")
    flow = state.orders.flow()
    assert (flow.level, flow.run, flow.held) == ("stopped", 30, setting == "hold")
    with capture_logs() as logs:
        check_orders(detection(setting), deps, until_ms=now_ms(state))
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


def test_alarm_is_logged_once_by_sweep_and_monitor(state: State) -> None:
    shop(state, after=30, setting="alarm")
    alarms = Alarms(state.scripts, state.keys)
    before = now_ms(state) - MINUTE_MS
    assert alarms.update({}, repeat_ms=MINUTE_MS, checked_ms=before) == []
    assert alarms.update({"orders": 2}, repeat_ms=MINUTE_MS) == []
    assert [change.event for change in alarms.update({}, repeat_ms=MINUTE_MS)] == ["over"]


def test_few_sessions_without_an_order_are_no_alarm(state: State) -> None:
    _, logs = shop(state, after=8, setting="hold")
    assert logs == []
    assert state.orders.flow().level == "fine"


def test_sending_waits_in_doubt_with_hold_only(state: State) -> None:
    shop(state, after=15, setting="hold")
    assert state.orders.flow().level == "doubtful"
    assert control(state).permits(1, in_flight=0).sending_state == "orders_stopped"
    check_orders(detection("alarm"), deps_of(state), until_ms=now_ms(state))
    assert control(state).permits(1, in_flight=0).sending_state == "on"


def test_fresh_sessions_are_not_counted_as_missing_orders(state: State) -> None:
    now = now_ms(state)
    count(state, {f"b{n}": HOUR_MS for n in range(200)}, {f"b{n}": HOUR_MS - 5 * MINUTE_MS for n in range(120)})
    count(state, {f"a{n}": 4 * MINUTE_MS for n in range(200)})
    check_orders(detection("hold"), deps_of(state), until_ms=now)
    assert state.orders.flow().level == "fine"
    check_orders(detection("hold"), deps_of(state), until_ms=now + 3 * MINUTE_MS)
    assert state.orders.flow().level == "stopped"


def test_what_is_not_applied_yet_is_not_judged(state: State) -> None:
    _, logs = shop(state, after=0, setting="alarm")
    count(state, {f"a{n}": 20 * SECOND_MS for n in range(40)})
    check_orders(detection("alarm"), deps_of(state), until_ms=now_ms(state) - 30 * SECOND_MS)
    assert (logs, state.orders.flow().level) == ([], "fine")


def test_order_ends_alarm_and_hold_and_is_logged(state: State) -> None:
    deps, _ = shop(state, after=30, setting="hold")
    count(state, orders={"b3": 0})
    with capture_logs() as logs:
        check_orders(detection("hold"), deps, until_ms=now_ms(state))
    assert [line["event"] for line in logs] == ["orders_resumed"]
    assert control(state).permits(1, in_flight=0).sending_state == "on"


def test_past_without_the_lost_orders_keeps_its_rate(state: State) -> None:
    deps, _ = shop(state, after=30, setting="alarm")
    first = state.orders.flow().rate
    count(state, {f"c{n}": 10 * SECOND_MS for n in range(500)})
    check_orders(detection("alarm"), deps, until_ms=now_ms(state))
    assert state.orders.flow().rate == first
    assert state.orders.flow().run == 530


def test_disabled_check_judges_nothing(state: State) -> None:
    deps, _ = shop(state, after=30, setting="hold")
    assert state.orders.flow().held
    with capture_logs() as logs:
        check_orders(detection("off"), deps, until_ms=now_ms(state))
    assert (logs, state.orders.flow().level) == ([], "fine")
    shop(state, after=60, setting="off")
    assert state.orders.flow().level == "fine"


def test_shop_that_never_sent_an_order_gets_another_text(state: State) -> None:
    count(state, {f"s{n}": HOUR_MS for n in range(400)})
    with capture_logs() as logs:
        check_orders(detection("alarm"), deps_of(state), until_ms=now_ms(state))
    (alarm,) = logs
    assert alarm["text"] == (
        "no order has ever arrived, though 400 sessions reached the checkout: buyers might be contacted"
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
