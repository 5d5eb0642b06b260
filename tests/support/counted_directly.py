"""The counts of `thresholds.contacts`, one threshold and one silence at a time, as their definitions say."""

from collections import Counter
from collections.abc import Iterator, Mapping

from detectors.flow import PLATFORMS
from thresholds.cells import FOLLOWED, HELD, ORDERED, RETURNED, UNKNOWN, cumulated, unpacked
from thresholds.contacts import Counts, Period
from thresholds.grid import DAY_MS, GRID
from thresholds.silences import Silences

Case = tuple[int, int, int]
"""A threshold (ms), a count of `thresholds.cells` or -1 for the contact itself, and a horizon (ms)."""
Cases = dict[tuple[object, ...], Counter[Case]]
"""By the keys of groups and days."""


def directly(
    silences: Silences, period: Period, waits: Mapping[int, int], horizons: tuple[int, ...], most: int
) -> Cases:
    """Return all contacts by group and by day."""
    found: Cases = {}
    for threshold in GRID:
        for number in _contacts(silences, period, waits, threshold, most):
            moment = silences.closed[silences.clock[number]].opening(silences.begin[number] + threshold)
            if moment < period.first_ms:
                continue
            rank, day = silences.rank[number], moment // DAY_MS
            cases = [(threshold, what, horizon) for what, horizon in _cases(silences, number, moment, period, horizons)]
            for key in ((rank, day >= period.later_day, silences.group[number]), (rank, day)):
                found.setdefault(key, Counter()).update(cases)
    return found


def cases_of(counts: Counts) -> Cases:
    """Return what counts hold."""
    found: Cases = {}
    for key, cell in (*counts.groups.items(), *counts.days.items()):
        numbers, packing = cumulated(cell), counts.packing
        columns = {(-1, 0): unpacked(numbers)}
        for place, horizon in enumerate(packing.horizons):
            columns |= {(what, horizon): unpacked(numbers, packing.shift(what, place)) for what in range(UNKNOWN + 1)}
        cases = Counter(
            {
                (threshold, what, horizon): number
                for (what, horizon), column in columns.items()
                for threshold, number in zip(GRID, column, strict=True)
                if number
            }
        )
        if cases:
            found[tuple(key)] = cases
    return found


def _contacts(silences: Silences, period: Period, waits: Mapping[int, int], threshold: int, most: int) -> Iterator[int]:
    """Yield the silences that are contacts at a threshold: those that find one of the session's contacts unused."""
    used: Counter[tuple[int, int]] = Counter()
    others: Counter[tuple[int, int]] = Counter()
    for number, length in enumerate(silences.lengths(period.last_ms)):
        session, rank = silences.session[number], silences.rank[number]
        stage = rank // len(PLATFORMS)
        elsewhere = sum(min(others[session, other], most) for other in range(4) if other != stage)
        if length > threshold:
            if used[session, stage] + elsewhere < most:
                yield number
            used[session, stage] += 1
        if length > waits[rank]:
            others[session, stage] += 1


def _cases(
    silences: Silences, number: int, moment: int, period: Period, horizons: tuple[int, ...]
) -> Iterator[tuple[int, int]]:
    yield -1, 0
    claim = silences.claims.get(number)
    for horizon in horizons:
        if moment + horizon > period.last_ms:
            continue
        people = 0
        if claim is not None and moment + horizon > claim.at_ms:
            if not claim.held_out:
                yield UNKNOWN, horizon
                continue
            people = HELD
        yield people + FOLLOWED, horizon
        for what, at_ms in ((RETURNED, silences.end[number]), (ORDERED, silences.order[number])):
            if 0 < at_ms <= moment + horizon:
                yield people + what, horizon
