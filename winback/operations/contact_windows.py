"""The hours of the week in which no person is contacted where the shop is. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tasks.policy.law.closings import QUIET_HOURS, of_law
from tasks.policy.law.places import Place
from tasks.policy.law.zone_files import zones_by_country
from tasks.policy.openings import Closing
from tasks.policy.quiet_hours import DAYS
from tasks.policy.settings import ContactSettings

Closed = Mapping[str, Sequence[str | None]]
"""Weekday → for each hour, the reason for which it is closed; None if it is open."""
_MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - local time of any zone
_QUARTER = timedelta(minutes=15)
_QUARTERS, _HOURS = 4, 24


def closed_hours(settings: ContactSettings, zone: str) -> Closed:
    """Return the closed hours of a usual week: the quiet hours, and those of the law of the country of a zone.

    An hour that is partly closed counts as closed. Holidays and differences by stage are left out.
    """
    closings = _closings(settings, zone)
    return {name: [_why(closings, day, hour) for hour in range(_HOURS)] for day, name in enumerate(DAYS)}


def country_of(zone: str) -> str | None:
    """Return the only country that has a zone (ISO 3166-1 alpha-2); None for a zone of several countries or none."""
    found = [country for country, zones in zones_by_country().items() if zone in zones]
    return found[0] if len(found) == 1 else None


def _closings(settings: ContactSettings, zone: str) -> list[Closing]:
    country = country_of(zone)
    there = (country,) if country else ()
    quiet = settings.at("checkout", there).quiet_hours
    is_used = QUIET_HOURS not in settings.disabled_rules
    return [*([Closing(QUIET_HOURS, quiet)] if is_used else []), *of_law(Place(there, (zone,)), settings)]


def _why(closings: Sequence[Closing], day: int, hour: int) -> str | None:
    begin = _MONDAY + timedelta(days=day, hours=hour)
    moments = [begin + _QUARTER * number for number in range(_QUARTERS)]
    return next((each.why for each in closings if any(map(each.hours.covers, moments))), None)
