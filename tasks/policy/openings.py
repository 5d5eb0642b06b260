"""The earliest moment at which nothing is closed, across zones, holidays and clock changes. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tasks.policy.quiet_hours import QuietHours

_DAY_MINUTES = 24 * 60
_LOOK_AHEAD_DAYS = (4, 33)
"""The next days nearly always have an opening; a month is longer than every chain of holidays."""

_NEVER = QuietHours()


@dataclass(frozen=True, slots=True)
class Closing:
    """One rule that closes hours of the week and whole days, by the clock in each zone."""

    why: str
    hours: QuietHours = _NEVER
    is_holiday: Callable[[date], bool] | None = None

    def covers(self, local: datetime) -> bool:
        """Return whether it is closed at this local time."""
        return self.hours.covers(local) or (self.is_holiday is not None and self.is_holiday(local.date()))


def closed_by(closings: Sequence[Closing], moment: datetime, zones: Sequence[ZoneInfo]) -> Closing | None:
    """Return the first closing that covers a moment in any of the zones; None: all are open."""
    clocks = [moment.astimezone(zone) for zone in zones]
    return next((closing for closing in closings if any(map(closing.covers, clocks))), None)


def next_opening(closings: Sequence[Closing], moment: datetime, zones: Sequence[ZoneInfo]) -> datetime | None:
    """Return the earliest moment from `moment` on at which all closings are open in all zones; None: none in a month.

    It is `moment` itself, or a moment in UTC.
    """
    if closed_by(closings, moment, zones) is None:
        return moment
    for days in _LOOK_AHEAD_DAYS:
        # Later candidates can follow an end on a day that wasn't examined.
        latest = moment + timedelta(days=days - 1)
        found = {end for zone in zones for end in _ends(closings, moment, zone, days) if moment < end <= latest}
        for opening in sorted(found):
            if closed_by(closings, opening, zones) is None:
                return opening
    return None


def _ends(closings: Sequence[Closing], moment: datetime, zone: ZoneInfo, days: int) -> Iterator[datetime]:
    """Yield when closed time can end: at the end of a window or holiday, or at a clock change."""
    today = moment.astimezone(zone).date()
    for number in range(-2, days + 1):
        day = today + timedelta(days=number)
        ends = {minutes for closing in closings for minutes in closing.hours.ends_of(day)}
        if any(closing.is_holiday and closing.is_holiday(day) for closing in closings):
            ends.add(_DAY_MINUTES)
        for minutes in ends:
            yield from instants(day, minutes, zone)
        yield from clock_change(day, zone)


def instants(day: date, minutes: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments at which a clock in the zone shows `minutes` after a day's midnight: none, one or two."""
    midnight = datetime.combine(day + timedelta(days=minutes // _DAY_MINUTES), time(), UTC)
    local = midnight + timedelta(minutes=minutes % _DAY_MINUTES)
    for fold in (0, 1):
        yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def clock_change(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moment of this day (UTC) at which the zone's clocks change, if there is one."""
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
