"""Loads the data that the law would load on first use."""

from datetime import date

from tasks.policy.law.places import place_of
from tasks.policy.law.public_holidays import is_holiday
from tasks.policy.law.table import table
from tasks.policy.law.zone_files import zone


def warm_up() -> None:
    """Load the table, the zones, the regions and a calendar before a fork, so that the processes share them."""
    table()
    for phone, country, region in (("+573001234567", "CO", ""), ("+13055550123", "US", "FL")):
        for name in place_of(phone, country, region=region).zones:
            zone(name)
        is_holiday(date(2026, 1, 1), country)
