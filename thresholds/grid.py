"""The thresholds that are compared and recommended."""

from bisect import bisect_left
from datetime import timedelta

from detectors.durations import format_duration

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_MINUTES = (
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    12,
    15,
    18,
    20,
    25,
    30,
    35,
    40,
    45,
    50,
    60,
    75,
    90,
    105,
    120,
    150,
    180,
    240,
    300,
)
GRID: tuple[int, ...] = tuple(minutes * MINUTE_MS for minutes in (*_MINUTES, 360))
"""Every threshold in ms, ascending. People read these values easily, and a finer grid says nothing.

Beyond 6 hours the daily rhythm makes the share of returns rise again: a shopper who has been silent for 24 hours
returns at the usual hour.
"""
SIZE = len(GRID)


def place(ms: int) -> int:
    """Return the number of thresholds shorter than a time in ms."""
    return bisect_left(GRID, ms)


def name_of(threshold_ms: int) -> str:
    """Return a threshold as the settings write it: `12m`."""
    return format_duration(timedelta(milliseconds=threshold_ms))
