"""When a person is left in peace, and when that ends. Pure.

Quiet hours are written as people say them, in the person's own time: `21:00-08:00`, or by weekday
`mon-fri 21:00-08:00; sat,sun 20:00-10:00`. A window belongs to the day on which it begins.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = timedelta(days=8)
"""Every week is like the next: what has no opening until then has none."""
_DAY_MINUTES = 24 * 60
_WINDOW = re.compile(r"(?:(?P<days>[a-z,\s-]+)\s+)?(?P<from>\d{1,2}:\d\d)\s*-\s*(?P<to>\d{1,2}:\d\d)")
_UNKNOWN_ZONE = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class Window:
    """A quiet time that begins on certain weekdays (0 is Monday); minutes since that day's midnight, up to 2880."""

    days: frozenset[int]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """All quiet times of a week; none at all when empty."""

    windows: tuple[Window, ...] = ()

    def is_quiet(self, moment: datetime, zones: Iterable[str]) -> bool:
        """Whether it is a quiet time in any of the zones."""
        return any(self._quiet_at(moment.astimezone(ZoneInfo(zone))) for zone in zones)

    def next_opening(self, moment: datetime, zones: Sequence[str]) -> datetime | None:
        """Return the earliest moment from `moment` on (UTC) that is quiet in none of the zones; None: there is none."""
        if not self.is_quiet(moment, zones):
            return moment
        found = {opening for zone in zones for opening in self._candidates(moment, ZoneInfo(zone)) if opening > moment}
        return next((opening for opening in sorted(found) if not self.is_quiet(opening, zones)), None)

    def _quiet_at(self, local: datetime) -> bool:
        minute, weekday = local.hour * 60 + local.minute, local.weekday()
        return any(
            (weekday in window.days and window.begin <= minute < window.end)
            or ((weekday - 1) % 7 in window.days and window.begin <= minute + _DAY_MINUTES < window.end)
            for window in self.windows
        )

    def _candidates(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield when a quiet time may end: at the end of a window, or when the clocks are changed."""
        today = moment.astimezone(zone).date()
        for number in range(-2, LOOK_AHEAD.days + 1):
            day = today + timedelta(days=number)
            for window in self.windows:
                if day.weekday() in window.days:
                    yield from _instants(day, window.end, zone)
            yield from _clock_change(day, zone)


def parse(value: object) -> QuietHours:
    """Read quiet hours as people write them; `off` or an empty text: none.

    Raises:
        ValueError: says what to write.
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
    if parts and found.next_opening(datetime(2026, 1, 1, tzinfo=UTC), ["UTC"]) is None:
        raise ValueError("leaves no time of the week at which anybody may be contacted")
    return found


def write(hours: QuietHours) -> str:
    """Write quiet hours as `parse` reads them."""
    return "; ".join(_written(window) for window in hours.windows) or "off"


def zones_of(phone: str, country: str, default: str) -> tuple[str, ...]:
    """Return the time zones in which a person may be.

    Those that the number's prefix is known for; for a number without a place, those of the country; else the default.
    `phone` is E.164, `country` ISO 3166-1 alpha-2; either may be empty.
    """
    return _zones_of_number(phone) or _zones_of_country().get(country, ()) or (default,)


@lru_cache(maxsize=16_384)
def _zones_of_number(phone: str) -> tuple[str, ...]:
    try:
        found = time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != _UNKNOWN_ZONE)


@cache
def _zones_of_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found[country] = (*found.get(country, ()), zone)
    return found


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


def _instants(day: date, minutes: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments at which a clock in the zone shows so many minutes after a day's midnight: none, one or two."""
    local = datetime.combine(day + timedelta(days=minutes // _DAY_MINUTES), time(), UTC) + timedelta(
        minutes=minutes % _DAY_MINUTES
    )
    for fold in (0, 1):
        yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _clock_change(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moment of this day (UTC) at which the zone's clocks are changed, if there is one."""
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)
    if begin.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return
    while end - begin > timedelta(seconds=1):
        middle = begin + (end - begin) // 2
        if middle.astimezone(zone).utcoffset() == begin.astimezone(zone).utcoffset():
            begin = middle
        else:
            end = middle
    yield end.replace(microsecond=0)
