"""Random shops whose true shares are known, and an oracle for complete data."""

from collections.abc import Sequence
from math import exp, sqrt
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from tests.support.silent_shoppers import START_MS
from thresholds.contacts import Period, count
from thresholds.curve import Point, Question, curve
from thresholds.grid import DAY_MS, HOUR_MS, MINUTE_MS
from thresholds.recommendation import choose
from thresholds.silences import GROUPS, Silences
from thresholds.study import ranks_of

SHOPS, SESSIONS = 400, 400
TARGET = 0.1
(CHECKOUT, *_) = ranks_of("checkout")
NEVER = dict.fromkeys(range(12), 10**12)
DAYS = 20


def counted(
    ends_min: Sequence[float | None], horizon_ms: int, begins_min: Sequence[float] | None = None
) -> list[Point]:
    """Return the curve of sessions with one silence each, all followed to the end; None: the shopper never returns."""
    silences = Silences()
    begins = begins_min or [0.0] * len(ends_min)
    for number, (begin, end) in enumerate(zip(begins, ends_min, strict=True)):
        begin_ms = START_MS + round(begin * MINUTE_MS)
        end_ms = 0 if end is None else begin_ms + round(end * MINUTE_MS)
        silences.add(number, begin_ms, end_ms, rank=CHECKOUT, group=number % GROUPS)
    last_ms = START_MS + 400 * DAY_MS
    counts = count(silences, Period(0, last_ms, last_ms // DAY_MS), NEVER, (horizon_ms,))
    return curve(counts, Question("return", horizon_ms), ranks=ranks_of("checkout"))


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.none(), st.integers(1, 5000).map(lambda minutes: minutes / 3)), min_size=1, max_size=60),
    st.sampled_from([10, 60, 1440]),
)
def test_share_of_complete_data_equals_the_survival_function(ends: list[float | None], horizon: int) -> None:
    # A shopper who never returns is watched for longer than any threshold and horizon.
    returned = [round(end * MINUTE_MS) for end in ends if end is not None]
    watched = [10**9] * (len(ends) - len(returned))
    survives = ecdf(CensoredData(uncensored=returned, right=watched)).sf.evaluate
    for point in counted(ends, horizon * MINUTE_MS):
        # A return at exactly the horizon counts, and a silence of exactly the threshold makes no contact.
        before, after = survives(point.threshold_ms), survives(point.threshold_ms + horizon * MINUTE_MS)
        assert point.share_raw == pytest.approx(1 - after / before)


class Shop(NamedTuple):
    """The law of a shop: a part of the shoppers returns, after times of a Weibull law."""

    returning: float
    scale_min: float
    shape: float

    def silent_at(self, minutes: float) -> float:
        """Return the part of all shoppers who are silent for longer."""
        return 1 - self.returning + self.returning * exp(-((minutes / self.scale_min) ** self.shape))

    def share(self, threshold_ms: int) -> float:
        """Return the true share of those silent at a threshold who return within the hour."""
        at = threshold_ms / MINUTE_MS
        return 1 - self.silent_at(at + 60) / self.silent_at(at)


def test_intervals_of_random_shops_cover_their_true_shares() -> None:
    random = Random(20261122)
    chosen: list[bool] = []
    fixed: list[bool] = []
    errors: list[float] = []
    for _ in range(SHOPS):
        shop = Shop(random.uniform(0.3, 0.9), random.uniform(20, 120), random.uniform(0.5, 1.2))
        ends = [
            random.weibullvariate(shop.scale_min, shop.shape) if random.random() < shop.returning else None
            for _ in range(SESSIONS)
        ]
        begins = [random.uniform(0, DAYS * 24 * 60) for _ in range(SESSIONS)]
        found = counted(ends, HOUR_MS, begins)
        at_15 = next(point for point in found if point.threshold_ms == 15 * MINUTE_MS)
        fixed.append(at_15.interval.low <= shop.share(at_15.threshold_ms) <= at_15.interval.high)
        point = choose(found, TARGET, days=DAYS).point
        if point is not None:
            true = shop.share(point.threshold_ms)
            chosen.append(point.interval.low <= true <= point.interval.high)
            errors.append(100 * (true - point.share))
    assert len(chosen) > SHOPS * 0.7
    assert 0.92 <= sum(chosen) / len(chosen) <= 0.98
    assert 0.91 <= sum(fixed) / len(fixed) <= 0.97
    assert 0.5 <= sum(errors) / len(errors) <= 1.3
    assert sqrt(sum(error**2 for error in errors) / len(errors)) < 2.3
