"""The statistic behind `detection.orders_stopped`: when a run without an order is too improbable."""

from math import exp, inf, isclose, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.order_alarms import Shop, false_alarms, happen
from detectors.order_flow import (
    ASSUMED_DELAY_MS,
    DOUBT,
    LIKELIEST,
    UNLIKELIEST,
    Hour,
    Past,
    Usual,
    alarm_chance,
    delay_step,
    judge,
    log_chance,
    run_for,
    usual,
    usual_delay_ms,
    usually_by_now,
)

HOUR_MS = 3_600_000
NOW_MS = 20_000 * 24 * HOUR_MS
MORNING = Past([Hour(200, 120)], {40: 120}, [], 120)
"""A shop on its first day: 200 sessions reached the checkout, of which 60 % ordered."""
NOTHING = Past([], {}, [], 0)
WEEK = Past([Hour(100, 60)] * 168, {60: 1000}, [[60] * 24] * 7, 1440)

hours = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda p: Hour(max(p), min(p))), max_size=60)
pasts = st.builds(
    Past,
    hours,
    st.dictionaries(st.integers(0, 92), st.integers(1, 500), max_size=20),
    st.lists(st.lists(st.integers(0, 300), min_size=24, max_size=24), max_size=7),
    st.integers(0, 10**6),
)


def level(past: Past, run: int, *, last_ms: int = NOW_MS - HOUR_MS, until_ms: int = NOW_MS) -> str:
    return judge(past, run=run, last_ms=last_ms, until_ms=until_ms).level


def test_sixty_percent_shop_alarms_within_25_sessions() -> None:
    assert [level(MORNING, run) for run in (0, 5, 30)] == ["fine", "fine", "stopped"]
    assert 16 <= run_for(alarm_chance(MORNING), usual(MORNING) or Usual(0, 0)) <= 25
    assert level(MORNING, 14) == "doubtful"


def test_alarm_needs_a_longer_run_where_fewer_order() -> None:
    found = [usual(Past([Hour(1000, orders)], {}, [], orders)) for orders in (600, 300, 100, 50)]
    runs = [run_for(1e-6, known) for known in found if known]
    assert runs == sorted(runs)
    assert len(set(runs)) == 4


def test_shop_without_any_order_alarms_with_its_own_level() -> None:
    assert level(NOTHING, 200, last_ms=0) == "fine"
    assert level(NOTHING, 400, last_ms=0) == "never"


def test_orders_without_session_alarm_only_after_many_sessions() -> None:
    assert level(NOTHING, 200) == "fine"
    assert level(NOTHING, 400) == "stopped"


def test_burst_alarms_only_when_orders_are_overdue() -> None:
    minute = HOUR_MS // 60
    assert level(WEEK, 1000, last_ms=NOW_MS - 3 * minute) == "doubtful"
    assert level(WEEK, 1000, last_ms=NOW_MS - 11 * minute) == "stopped"


def test_expected_orders_follow_the_hours_of_the_day() -> None:
    day = [0] * 8 + [60] * 16
    past = Past([], {}, [day, day], 960)
    assert usually_by_now(past, NOW_MS, NOW_MS + 8 * HOUR_MS) == 0
    assert isclose(usually_by_now(past, NOW_MS + 7 * HOUR_MS, NOW_MS + 9 * HOUR_MS), 60)
    assert isclose(usually_by_now(past, NOW_MS + 8 * HOUR_MS + HOUR_MS // 2, NOW_MS + 9 * HOUR_MS), 30)
    assert isclose(usually_by_now(past, 0, NOW_MS), 960)


def test_clock_is_not_used_before_a_full_day() -> None:
    assert usually_by_now(Past([], {}, [[0] * 24], 0), 0, NOW_MS) == inf


@pytest.mark.parametrize(("most", "chance"), [(0, LIKELIEST), (120, 1 / 438_000), (10**9, UNLIKELIEST)])
def test_chance_of_an_alarm_is_one_in_ten_years_of_orders(most: int, chance: float) -> None:
    assert isclose(alarm_chance(Past([], {}, [], most)), chance)


def test_usual_delay_covers_95_of_100_orders() -> None:
    delays = [*range(1000, 101_000, 1000)]
    steps: dict[int, int] = {}
    for delay in delays:
        steps[delay_step(delay)] = steps.get(delay_step(delay), 0) + 1
    assert 95_000 <= usual_delay_ms(Past([], steps, [], 0)) <= 95_000 * 1.2
    assert usual_delay_ms(Past([], {40: 19}, [], 0)) == ASSUMED_DELAY_MS


@given(st.integers(1, 10**8))
def test_delay_is_below_the_edge_of_its_step(delay_ms: int) -> None:
    edge = usual_delay_ms(Past([], {delay_step(delay_ms): 100}, [], 0))
    assert delay_ms <= edge <= delay_ms * 1.2 + 2


@given(pasts)
def test_usual_rate_is_never_above_what_was_seen(past: Past) -> None:
    known = usual(past)
    if known is not None:
        total = sum(hour.checkouts for hour in past.hours)
        assert 0 < known.rate < sum(hour.orders for hour in past.hours) / total + 1e-9
        assert 0 < known.correlation < 1


@given(pasts, st.integers(0, 3000), st.integers(0, 3000))
def test_longer_run_is_never_more_probable(past: Past, one: int, two: int) -> None:
    known = usual(past) or Usual(0.05, 0.001)
    short, long = sorted((one, two))
    assert log_chance(long, known) <= log_chance(short, known) + 1e-9 <= 1e-6


@given(pasts, st.floats(1e-9, 0.5))
def test_run_for_a_chance_is_the_shortest(past: Past, chance: float) -> None:
    known = usual(past) or Usual(0.05, 0.001)
    run = run_for(chance, known)
    if run < 2**40:
        assert log_chance(run, known) <= log(chance) < log_chance(run - 1, known)


@given(st.floats(0.05, 0.9), st.integers(1, 60))
def test_without_variation_a_run_is_as_probable_as_of_coins(rate: float, run: int) -> None:
    assert isclose(exp(log_chance(run, Usual(rate, 1e-9))), (1 - rate) ** run, rel_tol=1e-3)


@given(pasts, st.integers(0, 10**5), st.integers(0, NOW_MS))
def test_any_past_has_a_verdict(past: Past, run: int, last_ms: int) -> None:
    found = judge(past, run=run, last_ms=last_ms, until_ms=NOW_MS)
    assert found.level in {"fine", "doubtful", "stopped", "never"}
    assert (found.level == "never") <= (last_ms == 0)
    if found.level in {"stopped", "doubtful", "never"}:
        assert found.chance <= DOUBT


@pytest.mark.parametrize(("checkouts", "rate"), [(1000, 0.6), (1000, 0.2), (200, 0.6)])
def test_shop_with_nights_campaigns_and_bots_has_no_false_alarm(checkouts: int, rate: float) -> None:
    log_ = happen(Shop(checkouts, rate), 45, Random(7))
    alarms, doubts = false_alarms(log_)
    assert alarms == 0
    assert doubts <= 45
