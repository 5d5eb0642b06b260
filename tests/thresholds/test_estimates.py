"""Intervals, smoothing and the choice, with known answers."""

from math import sqrt

import pytest

from thresholds.intervals import effective, wilson
from thresholds.isotonic import falling


@pytest.mark.parametrize(
    ("hits", "size", "low", "high"),
    [(0, 50, 0, 0.0713), (5, 100, 0.0215, 0.1118), (10, 100, 0.0552, 0.1744), (100, 1000, 0.0829, 0.1202)],
)
def test_wilson_interval_equals_published_values(hits: int, size: int, low: float, high: float) -> None:
    assert wilson(hits / size, size) == pytest.approx((low, high), abs=5e-5)


def test_interval_with_known_error_is_wider() -> None:
    assert effective(0.1, 1000, sqrt(2 * 0.09 / 1000)) == pytest.approx((0.0767, 0.1294), abs=5e-5)


def test_isotonic_regression_pools_violators() -> None:
    smooth = falling([0.30, 0.20, 0.25, 0.10, 0.12, 0.05], [100, 100, 50, 80, 80, 70])
    assert smooth == pytest.approx([0.30, 0.65 / 3, 0.65 / 3, 0.11, 0.11, 0.05])
