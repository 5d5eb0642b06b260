"""The quiet hours of a clock as moments of a recording."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tasks.policy.law.closings import QUIET_HOURS, zones_of
from tasks.policy.openings import Closing, clock_change, closed_by, instants
from thresholds.closed_hours import ALWAYS_OPEN, ClosedHours
from winback.tuning.eligibility import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_AROUND_DAYS = 3
"""Windows that begin earlier can reach into the recording, and contacts can wait beyond its end."""


def quiet_times(clock: Clock, first_ms: int, last_ms: int) -> ClosedHours:
    """Return the quiet times between two moments (Unix ms), and some days around them."""
    if not clock.hours.windows:
        return ALWAYS_OPEN
    closing, zones = [Closing(QUIET_HOURS, clock.hours)], zones_of(clock.zones)
    changes = sorted(set(_changes(clock, first_ms, last_ms)))
    pairs = pairwise(changes)
    closed = [(begin, end) for begin, end in pairs if closed_by(closing, begin, zones)]
    return ClosedHours(((begin - _EPOCH) // _MS, (end - _EPOCH) // _MS) for begin, end in closed)


def _changes(clock: Clock, first_ms: int, last_ms: int) -> Iterator[datetime]:
    """Yield every moment at which the hours can open or close."""
    first = (_EPOCH + first_ms * _MS).date()
    days = (_EPOCH + last_ms * _MS).date() - first
    for number in range(-_AROUND_DAYS, days.days + _AROUND_DAYS + 1):
        day = first + timedelta(days=number)
        for zone in zones_of(clock.zones):
            for window in clock.hours.windows:
                yield from instants(day, window.begin, zone)
                yield from instants(day, window.end, zone)
            yield from clock_change(day, zone)
