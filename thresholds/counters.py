"""From counters of live silences to the counts of a recording.

The counters are difference arrays over the grid, one set for each group of sessions (a partition of Redis), UTC day,
stage and platform. A silence belongs to the day on which it began.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from thresholds import cells
from thresholds.cells import CONTACT, FOLLOWED, HELD, ORDERED, RETURNED, UNKNOWN, Packing
from thresholds.contacts import Counts, DayKey, GroupKey, Period
from thresholds.grid import DAY_MS, GRID

CONTACTED, HELD_OUT = "contacted", "held"
"""Counters of sessions, without a place."""
_SILENCES = "n"
_RETURNS, _ORDERS = "r", "o"
_TOUCHED, _HELD = "s", "h"
"""People contacted, and held out, before the horizon was over."""
_WEEK_DAYS, _FEWEST_WEEKS = 7, 2
_HELD_RETURNS, _HELD_ORDERS = "g", "p"


class LiveCounters(NamedTuple):
    """The counters of one group of sessions on one day."""

    day: int
    """Days since 1970-01-01, UTC."""
    rank: int
    group: int
    horizons: Sequence[int]
    """Those that were counted, in ms."""
    numbers: Mapping[str, int]
    """By name: a letter, the horizon (ms) except for silences, and the place in the grid, such as `r3600000.8`."""


@dataclass(frozen=True, slots=True)
class Live:
    """The counts of the days that are over."""

    counts: Counts
    period: Period
    contacted: int
    held_out: int

    @property
    def held_share(self) -> float:
        """The part of the people claimed that was held out; 0: none."""
        return self.held_out / (self.held_out + self.contacted) if self.held_out else 0.0


def counted_days(first_day: int, now_ms: int, *, horizon_ms: int, longest_wait_ms: int) -> range:
    """Return the days that count, of counters that began on `first_day`, which can have begun in the middle of it.

    A day is over when the longest threshold and the horizon are over for its last silence. If there are at least two
    whole weeks, whole weeks count, because the days of a week differ.
    """
    first = first_day + 1
    until = (now_ms - horizon_ms - max(GRID[-1], longest_wait_ms)) // DAY_MS
    weeks = (until - first) // _WEEK_DAYS
    if weeks >= _FEWEST_WEEKS:
        first = until - weeks * _WEEK_DAYS
    return range(first, max(first, until))


def live_counts(
    counters: Iterable[LiveCounters],
    now_ms: int,
    *,
    horizons: tuple[int, ...],
    asked_ms: int,
    longest_wait_ms: int,
    later_part: float,
) -> Live:
    """Return the counts of a recording that would hold the same silences.

    Args:
        counters: All of them, including those of the first day and of today.
        now_ms: Unix ms.
        horizons: Those that are counted, in ms, ascending.
        asked_ms: The horizon asked for: its days give the number of contacts and the period.
        longest_wait_ms: The longest threshold in force.
        later_part: The part of the days before the back-test's later part.
    """
    every = list(counters)
    # Without counters, no day counts.
    first_day = min((one.day for one in every), default=now_ms // DAY_MS)
    days = {
        horizon: counted_days(first_day, now_ms, horizon_ms=horizon, longest_wait_ms=longest_wait_ms)
        for horizon in horizons
    }
    asked = days[asked_ms]
    period = Period(asked.start * DAY_MS, asked.stop * DAY_MS, asked.start + round(later_part * len(asked)))
    counts, contacted, held_out = Counts(Packing(horizons)), 0, 0
    for one in every:
        if one.day in asked:
            contacted += one.numbers.get(CONTACTED, 0)
            held_out += one.numbers.get(HELD_OUT, 0)
        followed = [horizon for horizon in horizons if one.day in days[horizon] and horizon in one.horizons]
        if followed:
            _add(counts, one, followed, is_contact=asked_ms in followed, is_later=one.day >= period.later_day)
    return Live(counts, period, contacted, held_out)


def _add(counts: Counts, one: LiveCounters, followed: list[int], *, is_contact: bool, is_later: bool) -> None:
    of_group = counts.groups.setdefault(GroupKey(one.rank, is_later, one.group), cells.empty())
    of_day = counts.days.setdefault(DayKey(one.rank, one.day), cells.empty())
    units = _units(counts.packing, followed, is_contact=is_contact)
    for name, number in one.numbers.items():
        what, _, place = name.partition(".")
        unit = units.get(what)
        if unit and place:
            of_group[int(place)] += unit * number
            of_day[int(place)] += unit * number


def _units(packing: Packing, followed: list[int], *, is_contact: bool) -> dict[str, int]:
    """Return the packed change of each counter's name. A contact that hides an outcome takes the silence's place."""
    units = {_SILENCES: CONTACT if is_contact else 0}
    for horizon in followed:
        number = packing.horizons.index(horizon)
        unit = [packing.unit(what, number) for what in range(UNKNOWN + 1)]
        units[_SILENCES] += unit[FOLLOWED]
        units |= {
            f"{_RETURNS}{horizon}": unit[RETURNED],
            f"{_ORDERS}{horizon}": unit[ORDERED],
            f"{_TOUCHED}{horizon}": unit[UNKNOWN] - unit[FOLLOWED],
            f"{_HELD}{horizon}": unit[HELD + FOLLOWED] - unit[FOLLOWED],
            f"{_HELD_RETURNS}{horizon}": unit[HELD + RETURNED],
            f"{_HELD_ORDERS}{horizon}": unit[HELD + ORDERED],
        }
    return units
