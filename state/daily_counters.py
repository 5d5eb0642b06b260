"""The counters by day and place, for the report. Read-only."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from state import day_zone
from state.day_zone import DayZone
from state.keys import Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts
from state.server_errors import driver_errors

_DAYS_AT_A_TIME = 8


class DailyCount(NamedTuple):
    """How often something happened on one day at one place in the shop."""

    day: int
    """Days since 1970-01-01, in the zone of the counters."""
    stage: str
    """Empty if unknown because the record was gone; so is the platform."""
    platform: str
    name: str
    """`sessions`, `silent`, an outcome, `recovered` (orders after a contact) or `control` (orders of the holdout).

    `silent_hour` counts the silences of all places by hour.
    """
    detail: str
    """For silence its kind, for `silent_hour` the hour (`00` to `23`), for an outcome its reason.

    Otherwise `orders`, `unpriced` or a currency with minor units.
    """
    number: int


def read(scripts: Scripts, keys: Keys, first_day: int, last_day: int) -> list[DailyCount]:
    """Return the counters of a range of days, both ends included, summed over all partitions.

    Raises:
        StateError: The server doesn't answer.
    """
    return [tally for day, totals in _days(scripts, keys, first_day, last_day) for tally in _daily_counts(day, totals)]


def today(scripts: Scripts, keys: Keys) -> tuple[int, DayZone]:
    """Return the server's day, in days since 1970-01-01, and the zone in which it is.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        seconds, _ = scripts.client.time()
    zone = day_zone.read(scripts, keys)
    return zone.day(int(seconds) * 1000), zone


def _days(scripts: Scripts, keys: Keys, first_day: int, last_day: int) -> Iterator[tuple[int, Mapping[str, int]]]:
    for start in range(first_day, last_day + 1, _DAYS_AT_A_TIME):
        days = range(start, min(start + _DAYS_AT_A_TIME, last_day + 1))
        with driver_errors():
            pipe = scripts.client.pipeline(transaction=False)
            for day in days:
                for partition in range(PARTITIONS):
                    pipe.hgetall(keys.stats(partition, day))
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        for place, day in enumerate(days):
            totals = _summed(found[place * PARTITIONS : (place + 1) * PARTITIONS])
            yield day, {field.decode(): number for field, number in totals.items()}


def _summed(parts: Iterable[Mapping[bytes, bytes]]) -> dict[bytes, int]:
    """Add up hashes. A year has millions of fields, so they are decoded once they are sums."""
    totals: dict[bytes, int] = {}
    for counts in parts:
        for field, number in counts.items():
            totals[field] = totals.get(field, 0) + int(number)
    return totals


def _daily_counts(day: int, totals: Mapping[str, int]) -> Iterator[DailyCount]:
    for field, number in sorted(totals.items()):
        if not number:
            continue
        what, _, place = field.partition("@")
        name, _, detail = what.partition(".")
        if name == "silent":
            # Counted by lane, which holds the place and the kind.
            place, _, detail = detail.rpartition(".")
        stage, _, platform = place.partition(".")
        yield DailyCount(day, stage, platform, name, detail, number)
