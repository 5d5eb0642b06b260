"""The contacts that each threshold would have made, counted in one pass over the silences.

A silence of length L is a contact for the thresholds from the session's longest earlier silence at the stage up to
below L. That is a range of the grid, so two changes of a difference array count it for all thresholds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from thresholds import cells
from thresholds.cells import CONTACT, FOLLOWED, HELD, ORDERED, RETURNED, UNKNOWN, Cell, Packing
from thresholds.closed_hours import ALWAYS_OPEN
from thresholds.grid import DAY_MS, GRID
from thresholds.records import first_places, lengths_of
from thresholds.silences import Claim, Silences


class GroupKey(NamedTuple):
    """A group of people at a stage and platform, in the first or the later part of the recording."""

    rank: int
    is_later: bool
    group: int


class DayKey(NamedTuple):
    """A UTC day (days since 1970) at a stage and platform."""

    rank: int
    day: int


@dataclass(frozen=True, slots=True)
class Period:
    """The time in which contacts count; all times are Unix ms."""

    first_ms: int
    """The earliest contact that counts."""
    last_ms: int
    """The end of the recording."""
    later_day: int
    """The UTC day at which the back-test's later part begins."""


@dataclass(slots=True)
class Counts:
    """Difference arrays by group and by day."""

    packing: Packing
    groups: dict[GroupKey, Cell] = field(default_factory=dict)
    days: dict[DayKey, Cell] = field(default_factory=dict)

    @property
    def horizons(self) -> tuple[int, ...]:
        """All that are counted, in ms."""
        return self.packing.horizons

    def cells(self, rank: int, day: int, group: int, *, is_later: bool) -> tuple[Cell, Cell]:
        """Return the two cells that count a contact."""
        # Plain tuples find their keys, and are made in a third of the time.
        of_group = self.groups.get(cast("GroupKey", (rank, is_later, group)))
        if of_group is None:
            of_group = self.groups[GroupKey(rank, is_later, group)] = cells.empty()
        of_day = self.days.get(cast("DayKey", (rank, day)))
        if of_day is None:
            of_day = self.days[DayKey(rank, day)] = cells.empty()
        return of_group, of_day

    def copy(self) -> Counts:
        """Return counts that can be changed separately."""
        groups = {key: cell.copy() for key, cell in self.groups.items()}
        return Counts(self.packing, groups, {key: cell.copy() for key, cell in self.days.items()})


class Counting:
    """Counts the contacts of a recording, again and again for other thresholds in force."""

    def __init__(
        self, silences: Silences, period: Period, horizons: tuple[int, ...], *, max_per_session: int = 1
    ) -> None:
        """Prepare.

        Args:
            silences: Those of the recording.
            period: When contacts count.
            horizons: In ms.
            max_per_session: Contacts for one session.
        """
        self._silences, self._period, self._most = silences, period, max_per_session
        self._closed = [None if closed is ALWAYS_OPEN else closed for closed in silences.closed]
        self._lengths, self._reached = lengths_of(silences, period.last_ms)
        self._counts = Counts(Packing(horizons))
        self._firsts = self._reached
        """The places from which silences are counted: none yet."""

    def counts(self, waits: Mapping[int, int]) -> Counts:
        """Return the contacts of every threshold, by stage, platform, group and day.

        `waits` has the threshold in ms by rank. It counts for the other stages: whether they use a session's contact
        up. Only silences for which that changes something are counted again.
        """
        firsts = first_places(self._silences, self._lengths, self._reached, waits, self._most)
        for number, (low, before, high) in enumerate(zip(firsts, self._firsts, self._reached, strict=True)):
            if low < before and low < high:
                self._add(number, low, min(before, high), 1)
            elif before < low and before < high:
                self._add(number, before, min(low, high), -1)
        self._firsts = firsts
        return self._counts.copy()

    def _add(self, number: int, low: int, high: int, sign: int) -> None:
        """Count a silence for the thresholds from `low` to below `high`; a sign of -1 takes it out again."""
        silences, period = self._silences, self._period
        begin = silences.begin[number]
        closed = self._closed[silences.clock[number]]
        moments: Sequence[int] = GRID
        offset = begin
        if closed is not None and closed.touches(begin + GRID[low], begin + GRID[high - 1]):
            moments, offset = [closed.opening(begin + threshold) for threshold in GRID[:high]], 0
        if moments[low] + offset < period.first_ms:
            low = bisect_left(moments, period.first_ms - offset, low, high)
        rank, group, claim = silences.rank[number], silences.group[number], silences.claims.get(number)
        facts = _Facts(moments, offset, period.last_ms, silences.end[number], silences.order[number])
        while low < high:
            day, until = (moments[low] + offset) // DAY_MS, high
            if moments[high - 1] + offset >= (day + 1) * DAY_MS:
                until = bisect_left(moments, (day + 1) * DAY_MS - offset, low, high)
            of_group, of_day = self._counts.cells(rank, day, group, is_later=day >= period.later_day)
            found = _changes(facts, self._counts.packing, low, until)
            if claim is not None:
                found = _claimed_changes(facts, self._counts.packing, low, until, claim)
            for place, change in found:
                of_group[place] += sign * change
                of_day[place] += sign * change
            low = until


def count(
    silences: Silences,
    period: Period,
    waits: Mapping[int, int],
    horizons: tuple[int, ...],
    *,
    max_per_session: int = 1,
) -> Counts:
    """Return the contacts of every threshold: see `Counting`."""
    return Counting(silences, period, horizons, max_per_session=max_per_session).counts(waits)


class _Facts(NamedTuple):
    moments: Sequence[int]
    """When each threshold makes the contact: ms after `offset`."""
    offset: int
    last_ms: int
    end: int
    order: int


def _changes(facts: _Facts, packing: Packing, low: int, high: int) -> list[tuple[int, int]]:
    """Return the places of the grid at which counts change, if a silence is a contact from `low` to below `high`."""
    moments, offset, last_ms, end, order = facts
    first, last = moments[low] + offset, moments[high - 1] + offset
    begins = ends = CONTACT
    found = []
    for horizon, followed, returned, ordered in packing.units:
        stop = high if last + horizon <= last_ms else bisect_right(moments, last_ms - horizon - offset, low, high)
        if stop <= low:
            continue
        begins += followed
        counted = followed
        for moment, unit in ((end, returned), (order, ordered)):
            since = moment - horizon
            if not moment or moments[stop - 1] + offset < since:
                continue
            counted += unit
            if first >= since:
                begins += unit
            else:
                found.append((bisect_left(moments, since - offset, low, stop), unit))
        if stop == high:
            ends += counted
        else:
            found.append((stop, -counted))
    return [(low, begins), (high, -ends), *found]


def _claimed_changes(facts: _Facts, packing: Packing, low: int, high: int, claim: Claim) -> list[tuple[int, int]]:
    """Return the same of a silence in which the session had a contact, or was held out."""
    moments, offset, last_ms, end, order = facts
    found = [(low, CONTACT), (high, -CONTACT)]

    def add(start: int, stop: int, unit: int) -> None:
        if start < stop:
            found.extend(((start, unit), (stop, -unit)))

    for number, horizon in enumerate(packing.horizons):
        followed = bisect_right(moments, last_ms - horizon - offset, low, high)
        # Below this place the outcome was known before the contact in the recording.
        known = min(followed, bisect_right(moments, claim.at_ms - horizon - offset, low, high))
        parts = [(low, known, 0)]
        if claim.held_out:
            parts.append((known, followed, HELD))
        else:
            add(known, followed, packing.unit(UNKNOWN, number))
        for start, stop, people in parts:
            add(start, stop, packing.unit(people + FOLLOWED, number))
            for what, moment in ((RETURNED, end), (ORDERED, order)):
                if moment and start < stop:
                    since = bisect_left(moments, moment - horizon - offset, start, stop)
                    add(since, stop, packing.unit(people + what, number))
    return found
