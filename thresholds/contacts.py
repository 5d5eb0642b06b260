"""The contacts that each threshold would have made, counted in one pass over the silences.

A silence of length L is a contact for the thresholds from the session's longest earlier silence at the stage up to
below L. That is a range of the grid, so two increments of a difference array count it for all thresholds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from detectors.flow import PLATFORMS
from thresholds.grid import DAY_MS, GRID, SIZE, place
from thresholds.silences import Claim, Silences

CONTACTS = 0
FOLLOWED, RETURNED, ORDERED = 0, 1, 2
HELD = 3
"""Added to one of the three above: the same of people who were held out."""
UNKNOWN = 6
"""Contacts whose outcome a contact in the recording has changed."""
_PER_HORIZON = 7
_WIDTH = SIZE + 1

Cell = list[int]
"""Difference arrays, one after the other."""


def slot(horizon: int, what: int) -> int:
    """Return the number of a difference array: `what` within the horizon of this number."""
    return 1 + horizon * _PER_HORIZON + what


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

    horizons: tuple[int, ...]
    """In ms."""
    groups: dict[GroupKey, Cell] = field(default_factory=dict)
    days: dict[DayKey, Cell] = field(default_factory=dict)

    def cells(self, rank: int, day: int, group: int, *, is_later: bool) -> tuple[Cell, Cell]:
        """Return the two cells that count a contact."""
        size = _WIDTH * (1 + _PER_HORIZON * len(self.horizons))
        of_group = self.groups.setdefault(GroupKey(rank, is_later, group), [])
        of_day = self.days.setdefault(DayKey(rank, day), [])
        for cell in (of_group, of_day):
            if not cell:
                cell.extend([0] * size)
        return of_group, of_day


def cumulated(cell: Sequence[int], number: int) -> list[int]:
    """Return the counts of one difference array for every threshold."""
    total, found = 0, []
    for change in cell[number * _WIDTH : number * _WIDTH + SIZE]:
        total += change
        found.append(total)
    return found


class _Records:
    """What earlier silences of a session leave over: the first threshold with which its contact isn't used up."""

    def __init__(self, sessions: int, most: int) -> None:
        self._most = most
        self._places: dict[int, list[int]] = {}
        self._used = bytearray(sessions * 4)
        self._one = bytearray(sessions * 4)

    def before(self, session: int, stage: int) -> int:
        """Return the first place of the grid at which a silence of this stage can be a contact."""
        at = session * 4
        used = sum(self._used[at : at + 4]) - self._used[at + stage]
        left = self._most - used
        if left <= 0:
            return SIZE
        if self._most == 1:
            return self._one[at + stage]
        longest = self._places.get(at + stage, [])
        return longest[left - 1] if len(longest) >= left else 0

    def add(self, session: int, stage: int, reached: int, *, outlasts: bool) -> None:
        """Record a silence that outlasts `reached` thresholds; `outlasts`: also the stage's own in force."""
        at = session * 4 + stage
        if outlasts and self._used[at] < self._most:
            self._used[at] += 1
        if self._most == 1:
            self._one[at] = max(self._one[at], reached)
        else:
            longest = self._places.setdefault(at, [])
            longest.append(reached)
            longest.sort(reverse=True)
            del longest[self._most :]


def count(
    silences: Silences,
    period: Period,
    waits: Mapping[int, int],
    horizons: tuple[int, ...],
    *,
    max_per_session: int = 1,
) -> Counts:
    """Return the contacts of every threshold, by stage, platform, group and day.

    Args:
        silences: Those of the recording.
        period: When contacts count.
        waits: The threshold in ms by rank. It counts for the other stages: whether they use a session's contact up.
        horizons: In ms.
        max_per_session: Contacts for one session.
    """
    counts = Counts(horizons)
    records = _Records(silences.sessions, max_per_session)
    last_ms, stages = period.last_ms, len(PLATFORMS)
    for number, session in enumerate(silences.session):
        length = silences.length(number, last_ms)
        rank = silences.rank[number]
        stage = rank // stages
        high = place(length)
        low = records.before(session, stage)
        if low < high:
            _count_one(counts, silences, period, number, (low, high))
        records.add(session, stage, high, outlasts=length > waits[rank])
    return counts


def _count_one(counts: Counts, silences: Silences, period: Period, number: int, places: tuple[int, int]) -> None:
    begin = silences.begin[number]
    closed = silences.closed[silences.clock[number]]
    moments: Sequence[int] = GRID
    offset = begin
    if closed.touches(begin, begin + GRID[-1]):
        moments, offset = [closed.opening(begin + threshold) for threshold in GRID], 0
    low, high = places
    low = max(low, bisect_left(moments, period.first_ms - offset))
    claim = silences.claims.get(number)
    facts = _Facts(moments, offset, period.last_ms, silences.end[number], silences.order[number], claim)
    while low < high:
        day = (moments[low] + offset) // DAY_MS
        until = min(high, bisect_left(moments, (day + 1) * DAY_MS - offset))
        cells = counts.cells(silences.rank[number], day, silences.group[number], is_later=day >= period.later_day)
        for start, stop, value in _changes(facts, counts.horizons, low, until):
            for cell in cells:
                cell[value * _WIDTH + start] += 1
                cell[value * _WIDTH + stop] -= 1
        low = until


class _Facts(NamedTuple):
    moments: Sequence[int]
    """When each threshold makes the contact: ms after `offset`."""
    offset: int
    last_ms: int
    end: int
    order: int
    claim: Claim | None


def _changes(facts: _Facts, horizons: tuple[int, ...], low: int, high: int) -> list[tuple[int, int, int]]:
    """Return ranges of the grid from `low` to `high`, each with the array that counts it."""
    moments, offset, claim = facts.moments, facts.offset, facts.claim
    found = [(low, high, CONTACTS)]
    for number, horizon in enumerate(horizons):
        followed = min(high, bisect_right(moments, facts.last_ms - horizon - offset))
        # Below this place the outcome was known before the contact in the recording.
        known = followed if claim is None else min(followed, bisect_right(moments, claim.at_ms - horizon - offset))
        first = slot(number, 0)
        parts = [(low, known, first)]
        if claim is not None and claim.held_out:
            parts.append((max(low, known), followed, first + HELD))
        elif claim is not None and max(low, known) < followed:
            found.append((max(low, known), followed, first + UNKNOWN))
        for start, stop, array in parts:
            if start >= stop:
                continue
            found.append((start, stop, array + FOLLOWED))
            for what, moment in ((RETURNED, facts.end), (ORDERED, facts.order)):
                since = max(start, bisect_left(moments, moment - horizon - offset)) if moment else stop
                if since < stop:
                    found.append((since, stop, array + what))
    return found
