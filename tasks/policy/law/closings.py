"""When a person can be contacted: the shop's quiet hours and holidays, and the windows of each law. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from detectors.flow import Stage
from tasks.policy.law import public_holidays
from tasks.policy.law.places import Place
from tasks.policy.law.table import LawEntry, entries_of
from tasks.policy.law.zone_files import zone
from tasks.policy.openings import Closing, closed_by, next_opening
from tasks.policy.setting_fields import Holiday
from tasks.policy.settings import ContactSettings

QUIET_HOURS, HOLIDAY, LAW = "quiet_hours", "holiday", "law_"
"""Reasons of a postponement; a law is followed by its country or state: `law_CO`."""
_WEEK = timedelta(days=7)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Closed:
    """A time at which a person must not be contacted."""

    why: str
    opens: datetime | None
    """The earliest moment at which everything is open; None: there is none."""
    until_text: str
    """The opening by the person's own clock, for display: `Monday 07:00`; empty for none."""


def of_law(place: Place, settings: ContactSettings) -> tuple[Closing, ...]:
    """Return the closings by law in any of a person's jurisdictions."""
    return _of_law(place.jurisdictions, settings.law_off) if settings.law == "on" else ()


def of_holidays(place: Place, settings: ContactSettings) -> tuple[Closing, ...]:
    """Return the shop's own holidays in any of a person's jurisdictions."""
    return _of_holidays(place.jurisdictions, settings.holidays) if settings.holidays else ()


def of_quiet_hours(stage: Stage, place: Place, settings: ContactSettings) -> tuple[Closing, ...]:
    """Return the shop's quiet hours at a stage, in all of a person's jurisdictions."""
    return (Closing(QUIET_HOURS, settings.at(stage, place.jurisdictions).quiet_hours),)


def every(stage: Stage, place: Place, settings: ContactSettings) -> tuple[Closing, ...]:
    """Return all closings for a person at a stage."""
    quiet = () if QUIET_HOURS in settings.disabled_rules else of_quiet_hours(stage, place, settings)
    return of_law(place, settings) + of_holidays(place, settings) + quiet


def closed(
    some: Sequence[Closing], moment: datetime, stage: Stage, place: Place, settings: ContactSettings
) -> Closed | None:
    """Return why some closings of a person cover a moment, and when all of them are open; None: they don't."""
    zones = zones_of(place.zones)
    closing = closed_by(some, moment, zones) if some else None
    if closing is None:
        return None
    opens = next_opening(every(stage, place, settings), moment, zones)
    return Closed(closing.why, opens, _opening_time(opens, moment, zones) if opens else "")


@lru_cache(maxsize=4096)
def zones_of(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    """Return the zones of IANA names, by the pinned tzdata package."""
    return tuple(map(zone, names))


@lru_cache(maxsize=4096)
def _of_law(jurisdictions: tuple[str, ...], off: tuple[str, ...]) -> tuple[Closing, ...]:
    return tuple(_closings(jurisdictions, off))


def _closings(jurisdictions: tuple[str, ...], off: tuple[str, ...]) -> Iterator[Closing]:
    for code, entry in entries_of(jurisdictions, off):
        is_holiday = _holidays_of(code, entry, jurisdictions) if entry.closed_on_holidays else None
        if entry.windows or is_holiday:
            yield Closing(f"{LAW}{code}", entry.closed, is_holiday)


def _holidays_of(code: str, entry: LawEntry, jurisdictions: tuple[str, ...]) -> "partial[bool]":
    country, dash, _ = code.partition("-")
    there = (code,) if dash else tuple(place for place in jurisdictions if place.startswith(f"{country}-"))
    return partial(_is_holiday, country=country, regions=() if entry.only_national_holidays else there)


def _is_holiday(day: date, *, country: str, regions: tuple[str, ...]) -> bool:
    return public_holidays.is_holiday(day, country, regions)


@lru_cache(maxsize=4096)
def _of_holidays(jurisdictions: tuple[str, ...], holidays: tuple[Holiday, ...]) -> tuple[Closing, ...]:
    days = frozenset(holiday.day for holiday in holidays if not holiday.place or holiday.place in jurisdictions)
    return (Closing(HOLIDAY, is_holiday=days.__contains__),) if days else ()


def _opening_time(opens: datetime, moment: datetime, zones: Sequence[ZoneInfo]) -> str:
    local = opens.astimezone(zones[0])
    day = "" if opens - moment < _WEEK else f" {local.date()}"
    return f"{_WEEKDAYS[local.weekday()]}{day} {local:%H:%M}" + (f" ({zones[0].key})" if zones[1:] else "")
