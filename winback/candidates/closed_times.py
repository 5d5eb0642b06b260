"""The closed times of people at the same place, worked out once for each day instead of for each moment."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.policy.openings import Closing, clock_change, closed_by, instants, next_opening
from thresholds.grid import DAY_MS

OPEN, NEVER = 0, -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DAYS_BEFORE, _DAYS_AFTER = 3, 1
"""Local days whose hours can open or close within a day of UTC: a window ends up to two days after its day's begin."""
Day = tuple[list[int], list[int]]
"""The moments (Unix ms) from which something else is closed, and for each of them the next opening."""


class ClosedTimes:
    """When some closings end, in all of a person's zones."""

    def __init__(self, closings: Sequence[Closing], zones: Sequence[ZoneInfo]) -> None:
        self._closings, self._zones = closings, zones
        self._days: dict[int, Day] = {}

    def opening(self, now_ms: int) -> int:
        """Return when the closed time at a moment ends (Unix ms); `OPEN` if it is open, `NEVER` if it doesn't end."""
        if not self._closings:
            return OPEN
        number = now_ms // DAY_MS
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = self._of_day(number)
        return day[1][bisect_right(day[0], now_ms) - 1]

    def _of_day(self, number: int) -> Day:
        first = _EPOCH + timedelta(days=number)
        begins = sorted({first, *(at for at in self._changes(first.date()) if 0 <= (at - first) // _MS < DAY_MS)})
        openings: list[int] = []
        # From the last to the first: the next opening is often the next change.
        for place in reversed(range(len(begins))):
            begin = begins[place]
            if closed_by(self._closings, begin, self._zones) is None:
                openings.append(OPEN)
            elif openings:
                openings.append(openings[-1] or _ms(begins[place + 1]))
            else:
                opens = next_opening(self._closings, begin, self._zones)
                openings.append(NEVER if opens is None else _ms(opens))
        return [_ms(begin) for begin in begins], openings[::-1]

    def _changes(self, day: date) -> Iterator[datetime]:
        """Yield every moment around a day at which something can open or close."""
        for number in range(-_DAYS_BEFORE, _DAYS_AFTER + 1):
            local = day + timedelta(days=number)
            ends = {0}
            for closing in self._closings:
                for window in closing.hours.windows:
                    if local.weekday() in window.days:
                        ends |= {window.begin, window.end}
            for zone in self._zones:
                for minutes in ends:
                    yield from instants(local, minutes, zone)
                yield from clock_change(local, zone)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS
