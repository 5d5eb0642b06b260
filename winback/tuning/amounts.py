"""Durations, shares and numbers as merchants read them. Pure."""

from datetime import UTC, datetime

from thresholds.grid import DAY_MS, HOUR_MS, MINUTE_MS

_WEEK = 7
_LONG_WAIT_DAYS = 14
_WHOLE = 10
_FEWEST_MINUTES, _MOST_MINUTES = 2, 90


def duration(ms: int) -> str:
    """Return a duration in words: `5 seconds`, `12 minutes`, `2 hours`."""
    if ms % HOUR_MS == 0 and ms > HOUR_MS:
        return f"{ms // HOUR_MS} hours"
    minutes = ms / MINUTE_MS
    if minutes > _MOST_MINUTES:
        return f"{round(ms / HOUR_MS, 1):g} hours"
    if minutes < _FEWEST_MINUTES and ms % MINUTE_MS:
        return f"{round(ms / 1000):g} seconds"
    return "1 minute" if minutes == 1 else f"{round(minutes, 1):g} minutes"


def within(horizon_ms: int) -> str:
    """Return a horizon in words: `within the hour`."""
    if horizon_ms == HOUR_MS:
        return "within the hour"
    if horizon_ms == DAY_MS:
        return "within a day"
    if horizon_ms % DAY_MS == 0:
        return f"within {horizon_ms // DAY_MS} days"
    return f"within {duration(horizon_ms)}"


def of_100(share: float) -> str:
    """Return how many of 100 people a share is."""
    number = 100 * share
    return "fewer than 1" if 0 < number < 0.5 else f"{number:.0f}"  # noqa: PLR2004 - rounds to 0


def number(value: float) -> str:
    """Return a number with a decimal if it is small."""
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """Return a share as a percentage with a decimal."""
    return f"{100 * share:.1f}"


def days_or_weeks(days: int) -> str:
    """Return days in words, many of them as weeks."""
    if days < _LONG_WAIT_DAYS:
        return number_of(days, "day")
    return f"{round(days / _WEEK)} weeks"


def capital(text: str) -> str:
    """Return a text with a capital letter."""
    return text[:1].upper() + text[1:]


def day(ms: int) -> str:
    """Return the UTC day of Unix ms."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"


def number_of(count: int, one: str, several: str = "") -> str:
    """Return a number of things, such as `1 event`. `several`: what two of them are called, if not with an s."""
    return f"1 {one}" if count == 1 else f"{count:,} {several or one + 's'}"
