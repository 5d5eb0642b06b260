"""Recommendations for fictitious shops whose return times are known."""

from random import Random

import pytest

from tests.support.silent_shoppers import EveryoneCounts, at, ordered, seen
from thresholds.backtest import later_day
from thresholds.collector import Collector
from thresholds.contacts import Period
from thresholds.curve import Question
from thresholds.grid import DAY_MS, HOUR_MS, MINUTE_MS, name_of
from thresholds.observed import Observed
from thresholds.session_ids import GapCounter
from thresholds.study import Asked, Row, ranks_of, study


def checkout_of_shop(sessions: int, **asked: object) -> Row:
    """Return the row of a shop of 20 days: half of the shoppers return, after a mean of 20 minutes (exponential)."""
    random = Random(7)
    events: list[Observed] = []
    for number in range(sessions):
        begin = random.uniform(0, 20 * 24 * 60)
        events.append(seen(f"s{number}", begin))
        if random.random() < 0.5:
            events.append(ordered(f"s{number}", begin + random.expovariate(1 / 20)))
    collector: Collector[int] = Collector(EveryoneCounts())
    for event in sorted(events, key=lambda event: event.stamp):
        collector.take(event)
    first_ms, last_ms = at(0), collector.totals.last_ms
    waits = dict.fromkeys(range(12), 15 * MINUTE_MS)
    wanted = Asked(Question("return", HOUR_MS), 0.1, **asked)  # type: ignore[arg-type]
    found = study(collector.finish(), Period(first_ms, last_ms, later_day(first_ms, last_ms)), wanted, waits)
    return next(row for row in found.rows if row.stage == "checkout" and row.platform is None)


def test_large_shop_gets_the_threshold_of_its_law() -> None:
    row = checkout_of_shop(20_000)
    # Of those silent at t, exp(-t/20) / (1 + exp(-t/20)) return ever, and 95 % of these within the hour.
    assert row.choice.status == "ok"
    assert row.choice.point is not None
    assert name_of(row.choice.point.threshold_ms) == "45m"
    assert row.backtest is not None
    assert not row.backtest.drift
    assert abs(row.backtest.promised - row.backtest.realised) < 0.02
    assert (row.choice.threshold_low_ms or 0) <= row.choice.point.threshold_ms <= (row.choice.threshold_high_ms or 0)
    assert row.most_contacts > row.choice.point.contacts


def test_small_shop_gets_no_recommendation_but_the_days_needed() -> None:
    row = checkout_of_shop(60)
    assert (row.choice.status, row.choice.point) == ("too_few", None)
    assert row.choice.days_needed is not None


def test_session_ids_that_end_before_the_horizon_allow_no_judgement() -> None:
    assert checkout_of_shop(2_000, ids_end_ms=30 * MINUTE_MS).choice.status == "ids_end"


def test_gaps_cut_at_half_an_hour_show_that_ids_end() -> None:
    random, gaps = Random(3), GapCounter()
    for _ in range(5_000):
        gap = round(random.expovariate(1 / 15) * MINUTE_MS)
        if gap < 30 * MINUTE_MS:
            gaps.add(gap)
    assert abs((gaps.edge_ms(20 * DAY_MS) or 0) - 30 * MINUTE_MS) < MINUTE_MS
    assert gaps.edge_ms(HOUR_MS) is None


@pytest.mark.parametrize("minutes", [30, 120, 1440])
@pytest.mark.parametrize("shape", [0.4, 0.6])
def test_ids_that_end_are_found_for_any_law_of_returns(minutes: int, shape: float) -> None:
    random, gaps = Random(minutes), GapCounter()
    while gaps.total < 5_000:
        gap = round(random.weibullvariate(200, shape) * MINUTE_MS)
        if gap < minutes * MINUTE_MS:
            gaps.add(gap)
    assert abs((gaps.edge_ms(30 * DAY_MS) or 0) - minutes * MINUTE_MS) < 0.03 * minutes * MINUTE_MS


@pytest.mark.parametrize("shape", [0.8, 1, 2])
def test_shoppers_who_just_stop_returning_are_no_end_of_ids(shape: float) -> None:
    random, gaps = Random(3), GapCounter()
    for _ in range(20_000):
        gaps.add(round(random.gammavariate(shape, 25) * MINUTE_MS))
    assert gaps.edge_ms(30 * DAY_MS) is None


def test_session_with_too_many_events_in_a_minute_is_a_bot() -> None:
    collector: Collector[int] = Collector(EveryoneCounts(), bot_events=3)
    for second in (0, 1, 2, 3, 3_600):
        collector.take(seen("robot", second / 60))
    assert len(collector.finish().begin) == 0
    assert collector.totals.bots == 1


def test_ranks_of_a_stage_include_its_platforms() -> None:
    assert ranks_of("cart_review") == [3, 4, 5]
    assert ranks_of("cart_review", "ios") == [4]
