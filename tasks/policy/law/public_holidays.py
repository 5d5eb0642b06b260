"""Public holidays, from the `holidays` package. Loaded on first use, and cached by year."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from tasks.policy.law.regions import parent_of


def is_holiday(day: date, country: str, regions: Sequence[str] = ()) -> bool:
    """Return whether a day is a public holiday in a country (ISO 3166-1 alpha-2) or one of its regions (ISO 3166-2)."""
    year = day.year
    if day in named(country, "", year):
        return True
    return any(day in named(country, region, year) for region in regions)


@lru_cache(maxsize=1024)
def named(country: str, region: str, year: int) -> dict[date, str]:
    """Return the holidays of a year with their names in English; `region`: including those of an ISO 3166-2 region.

    A region that the package doesn't know has the holidays of its parent region, else of the country.
    """
    import holidays

    known = holidays.list_supported_countries(include_aliases=True).get(country)
    if known is None:
        return {}
    wanted = (region, parent_of(region)) if region else ()
    parts = (found.partition("-")[2] for found in wanted if found)
    part = next((part for part in parts if part in known), None)
    return dict(sorted(holidays.country_holidays(country, subdiv=part, years=year, language=_LANGUAGE).items()))


_LANGUAGE = "en_US"
