"""Hours of a week, by the person's own clock. Pure.

The format is `21:00-08:00`, or by weekday `mon-fri 21:00-08:00; sat,sun 20:00-10:00`.
A window belongs to the day on which it begins.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_WINDOW = re.compile(r"(?:(?P<days>[a-z,\s-]+)\s+)?(?P<from>\d{1,2}:\d\d)\s*-\s*(?P<to>\d{1,2}:\d\d)")
_WEEK_MINUTES = 7 * _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Window:
    """A quiet time that begins on certain weekdays (0 is Monday); minutes since that day's midnight, up to 2880."""

    days: frozenset[int]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """All quiet times of a week; an empty one has none."""

    windows: tuple[Window, ...] = ()

    def covers(self, local: datetime) -> bool:
        """Return whether this local time is a quiet time."""
        return self._covers(local.weekday(), local.hour * 60 + local.minute)

    def ends_of(self, day: date) -> Iterator[int]:
        """Yield the ends of the windows that begin on a day: minutes since its midnight, up to 2880."""
        weekday = day.weekday()
        return (window.end for window in self.windows if weekday in window.days)

    @property
    def is_always(self) -> bool:
        """Return whether no time of the week is open."""
        ends = {(day * _DAY_MINUTES + window.end) % _WEEK_MINUTES for window in self.windows for day in window.days}
        return bool(ends) and all(self._covers(*divmod(end, _DAY_MINUTES)) for end in ends)

    def _covers(self, weekday: int, minute: int) -> bool:
        for window in self.windows:
            if weekday in window.days and window.begin <= minute < window.end:
                return True
            if window.end > _DAY_MINUTES and minute < window.end - _DAY_MINUTES and (weekday - 1) % 7 in window.days:
                return True
        return False


def parse(value: object) -> QuietHours:
    """Return quiet hours from their written form; none for `off` or an empty text.

    Raises:
        ValueError: The message names the fix.
    """
    if isinstance(value, QuietHours):
        return value
    texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
    if not texts:
        raise ValueError('is not a time of the day: write "21:00-08:00", or "off"')
    parts = [part.strip().lower() for text in texts for part in text.split(";") if part.strip()]
    if parts == ["off"]:
        return QuietHours()
    found = QuietHours(tuple(_window(part) for part in parts))
    if found.is_always:
        raise ValueError("leaves no time of the week for contacts")
    return found


def write(hours: QuietHours) -> str:
    """Return quiet hours as `parse` reads them."""
    return "; ".join(_written(window) for window in hours.windows) or "off"


def outside(windows: Sequence[str]) -> QuietHours:
    """Return the hours outside windows such as `mon-fri 07:00-19:00`; none if there is no window.

    Raises:
        ValueError: One isn't a window within one day.
    """
    open_on: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for window in map(_window, windows):
        if window.end > _DAY_MINUTES:
            raise ValueError(f"{_written(window)} goes beyond its day: write two windows")
        for day in window.days:
            open_on[day].append((window.begin, window.end))
    closed: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for day in range(len(DAYS)) if windows else ():
        for gap in _gaps(sorted(open_on[day])):
            closed[gap].add(day)
    return QuietHours(tuple(Window(frozenset(days), *gap) for gap, days in sorted(closed.items())))


def _gaps(opened: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the gaps of a day (minutes) between windows in order."""
    at = 0
    for begin, end in opened:
        if begin > at:
            yield at, begin
        at = max(at, end)
    if at < _DAY_MINUTES:
        yield at, _DAY_MINUTES


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError("is not a time of the day: write 21:00-08:00, or mon-fri 21:00-08:00; sat,sun 20:00-10:00")
    begin, end = _minutes(match["from"]), _minutes(match["to"])
    if begin in {end, _DAY_MINUTES}:
        raise ValueError("has no length: a whole day is 00:00-24:00")
    return Window(_days(match["days"] or "mon-sun"), begin, end if end > begin else end + _DAY_MINUTES)


def _minutes(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY_MINUTES:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("is not a time of the day (00:00 to 24:00)")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"names no weekday: write {', '.join(DAYS)}, or a range such as mon-fri")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _written(window: Window) -> str:
    days = "" if len(window.days) == len(DAYS) else ",".join(DAYS[day] for day in sorted(window.days)) + " "
    end = window.end if window.end <= _DAY_MINUTES else window.end - _DAY_MINUTES
    return f"{days}{_clock(window.begin)}-{_clock(end)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
