"""Intervals of shares (95 %) when people and days are alike within themselves.

The interval is Wilson's score interval with the effective sample size: Franco, Little, Louis and Slud (2019),
*Comparative study of confidence intervals for proportions in complex sample surveys*, PMC6690503.
"""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
FEWEST_CLUSTERS = 8


class Interval(NamedTuple):
    """A range, both ends included."""

    low: float
    high: float


class Part(NamedTuple):
    """The sums of one cluster."""

    weight: float
    hits: float


def wilson(rate: float, size: float) -> Interval:
    """Return the score interval of a rate (a part of one) among `size` cases, more than 0."""
    centre = (rate + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * sqrt(max(0.0, rate * (1 - rate)) / size + Z**2 / (4 * size**2))
    # Exact at the ends, where rounding would miss them.
    return Interval(0.0 if rate <= 0 else max(0.0, centre - half), 1.0 if rate >= 1 else min(1.0, centre + half))


def effective(rate: float, size: float, error: float) -> Interval:
    """Return the interval of a rate whose standard error is known; an error of 0 leaves the size as it is."""
    spread = rate * (1 - rate)
    return wilson(rate, min(size, spread / error**2) if error > 0 and spread > 0 else size)


def standard_error(clusters: Iterable[Part]) -> float | None:
    """Return the standard error of the pooled share; None: too few clusters."""
    parts = [part for part in clusters if part.weight > 0]
    if len(parts) < FEWEST_CLUSTERS:
        return None
    total = sum(part.weight for part in parts)
    share = sum(part.hits for part in parts) / total
    squares = sum(((part.hits - share * part.weight) / total) ** 2 for part in parts)
    return sqrt(squares * len(parts) / (len(parts) - 1))
