"""The back-test: choose on the first part of the recording, count in the later part."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from thresholds.curve import Point
from thresholds.grid import DAY_MS
from thresholds.intervals import Interval
from thresholds.recommendation import FEWEST_CONTACTS

FIRST_PART = 0.6
TOLERANCE = 0.01
"""A difference of one point doesn't count as drift."""
_ONE_SIDED = 1.645


@dataclass(frozen=True, slots=True)
class BackTest:
    """The promise of the first part, and the share of the later part; parts of one."""

    threshold_ms: int
    promised: float
    realised: float
    interval: Interval
    followed: int
    drift: bool


def later_day(first_ms: int, last_ms: int) -> int:
    """Return the UTC day (days since 1970) at which the later part begins; the times are Unix ms."""
    return round(first_ms + FIRST_PART * (last_ms - first_ms)) // DAY_MS


def backtest(first: Sequence[Point], later: Sequence[Point], target: float) -> BackTest | None:
    """Return the back-test from the curves of both parts; None: nothing chosen, or fewer than 100 contacts in one."""
    chosen = next((point for point in first if point.share <= target and not point.is_touched), None)
    if chosen is None or chosen.followed < FEWEST_CONTACTS:
        return None
    found = next((point for point in later if point.threshold_ms == chosen.threshold_ms), None)
    if found is None or found.followed < FEWEST_CONTACTS or found.is_touched:
        return None
    difference = abs(found.share_raw - chosen.share)
    drift = difference - TOLERANCE > _ONE_SIDED * sqrt(chosen.error**2 + found.error**2)
    return BackTest(chosen.threshold_ms, chosen.share, found.share_raw, found.interval, found.followed, drift)
