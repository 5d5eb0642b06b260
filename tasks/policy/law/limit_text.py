"""Limits in settings: `4/30d`, at most 4 contacts of a person within any 30 days."""

import re
from datetime import timedelta

from detectors.durations import format_duration, parse_duration
from detectors.lanes import milliseconds
from state.limit import Limit

MOST = 1000
LONGEST = timedelta(days=365)
_WRITTEN = re.compile(r"\s*(\d{1,4})\s*/\s*(\S+)\s*")


def parse_limit(value: object) -> Limit:
    """Return a limit.

    Raises:
        ValueError: The message completes "<the value> ..." and names the fix.
    """
    if isinstance(value, Limit):
        return value
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise ValueError("is not a limit: write a number of contacts and a time, like 1/24h or 4/30d")
    try:
        period = parse_duration(written[2])
    except ValueError as problem:
        raise ValueError(f"has no such time: {written[2]} {problem}") from None
    if not 1 <= int(written[1]) <= MOST or period > LONGEST:
        raise ValueError(f"must be from 1 to {MOST} contacts within at most {LONGEST.days}d")
    return Limit(int(written[1]), milliseconds(period))


def write_limit(limit: Limit) -> str:
    """Return a limit as `parse_limit` reads it."""
    return f"{limit.count}/{format_duration(timedelta(milliseconds=limit.period_ms))}"
