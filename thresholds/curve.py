"""The share of contacted people who would have returned or ordered by themselves, at every threshold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal, NamedTuple

from thresholds.cells import (
    FOLLOWED,
    HELD,
    ORDERED,
    RETURNED,
    UNKNOWN,
    Cell,
    Packing,
    added,
    cumulated,
    unpacked,
)
from thresholds.contacts import Counts, DayKey, GroupKey
from thresholds.grid import GRID, SIZE
from thresholds.intervals import Interval, Part, effective, standard_error
from thresholds.isotonic import falling

Outcome = Literal["return", "order"]


class Question(NamedTuple):
    """The promise that is asked for."""

    outcome: Outcome
    horizon_ms: int


@dataclass(frozen=True, slots=True)
class Point:
    """The result at one threshold; shares are parts of one."""

    threshold_ms: int
    contacts: int
    """All contacts of the counted time, also those whose horizon the recording doesn't reach."""
    followed: int
    hits: int
    """Returns or orders, not weighted."""
    share_raw: float
    share: float
    """Smoothed: shares don't rise with the threshold."""
    interval: Interval
    error: float
    """The standard error of `share_raw`."""
    is_touched: bool
    """Contacts in the recording hide outcomes, and no person held out stands for them. The shares are nan."""


class _Sums(NamedTuple):
    """Counts of one cluster, or of all, at every threshold."""

    followed: list[int]
    hits: list[int]
    held: list[int]
    held_hits: list[int]


class _Pooled(NamedTuple):
    """The sums of all clusters, and counts that aren't part of shares."""

    sums: _Sums
    contacts: list[int]
    unknown: list[int]


def curve(
    counts: Counts,
    question: Question,
    *,
    ranks: Iterable[int],
    held_share: float = 0.0,
    is_later: bool | None = None,
    later_day: int = 0,
) -> list[Point]:
    """Return the points with contacts that were followed to the end, by threshold.

    Args:
        counts: From `contacts.count`.
        question: Its horizon is one of those counted.
        ranks: The stage and platforms.
        held_share: The part of all people who were claimed in the recording that was held out.
        is_later: Only the later part of the recording, or only the first; None: both.
        later_day: The UTC day at which the later part begins.
    """
    wanted = frozenset(ranks)
    in_part: Callable[[bool], bool] = lambda later: is_later is None or later == is_later  # noqa: E731
    groups = _merged(counts.groups, lambda key: key.rank in wanted and in_part(key.is_later), lambda key: key.group)
    days = _merged(counts.days, lambda key: key.rank in wanted and in_part(key.day >= later_day), lambda key: key.day)
    if not groups:
        return []
    packing = counts.packing
    horizon = packing.horizons.index(question.horizon_ms)
    clusters = [
        [_sums(cell, packing, horizon, question.outcome) for cell in cells.values()] for cells in (groups, days)
    ]
    total = added(groups.values())
    weight = 1 / held_share if held_share else 0.0
    sums, numbers = _sums(total, packing, horizon, question.outcome), cumulated(total)
    pooled = _Pooled(sums, unpacked(numbers), unpacked(numbers, packing.shift(UNKNOWN, horizon)))
    points = (_point(pooled, clusters, place, weight) for place in range(SIZE))
    return _smoothed([point for point in points if point is not None])


def _point(pooled: _Pooled, clusters: Sequence[Sequence[_Sums]], place: int, weight: float) -> Point | None:
    part = _part(pooled.sums, place, weight)
    is_touched = pooled.unknown[place] > 0 and not weight
    if part.weight <= 0 and not is_touched:
        return None
    errors = [standard_error(_part(one, place, weight) for one in several) for several in clusters]
    error = max((each for each in errors if each is not None), default=0.0)
    followed = pooled.sums.followed[place] + pooled.sums.held[place]
    share = nan if is_touched else part.hits / part.weight
    return Point(
        threshold_ms=GRID[place],
        contacts=pooled.contacts[place],
        followed=followed,
        hits=pooled.sums.hits[place] + pooled.sums.held_hits[place],
        share_raw=share,
        share=share,
        interval=Interval(nan, nan) if is_touched else effective(share, followed, error),
        error=error,
        is_touched=is_touched,
    )


def counted_contacts(counts: Counts, ranks: Iterable[int]) -> list[int]:
    """Return how many contacts each threshold makes, followed or not."""
    wanted = frozenset(ranks)
    cells = [cell for key, cell in counts.days.items() if key.rank in wanted]
    return unpacked(cumulated(added(cells))) if cells else [0] * SIZE


def first_within(points: Sequence[Point], target: float, value: Callable[[Point], float]) -> int | None:
    """Return the shortest threshold (ms) at which a value is within the target; None: none is."""
    return next((point.threshold_ms for point in points if value(point) <= target), None)


def bounds_within(points: Sequence[Point], target: float) -> tuple[int | None, int | None]:
    """Return the shortest thresholds (ms) at which the smoothed lower and upper bounds are within the target."""
    weights = [float(point.followed) for point in points]
    found = []
    for bounds in ([point.interval.low for point in points], [point.interval.high for point in points]):
        smooth = falling(bounds, weights)
        pairs = zip(points, smooth, strict=True)
        found.append(next((point.threshold_ms for point, bound in pairs if bound <= target), None))
    return found[0], found[1]


def _smoothed(points: list[Point]) -> list[Point]:
    judged = [point for point in points if not point.is_touched]
    values = falling([point.share_raw for point in judged], [float(point.followed) for point in judged])
    smooth = iter(values)
    return [point if point.is_touched else replace(point, share=next(smooth)) for point in points]


def _merged(
    cells: Mapping[GroupKey, Cell] | Mapping[DayKey, Cell],
    wanted: Callable[..., bool],
    cluster: Callable[..., int],
) -> dict[int, Cell]:
    found: dict[int, list[Cell]] = {}
    for key, cell in cells.items():
        if wanted(key):
            found.setdefault(cluster(key), []).append(cell)
    return {name: added(several) for name, several in found.items()}


def _sums(cell: Cell, packing: Packing, horizon: int, outcome: Outcome) -> _Sums:
    what = RETURNED if outcome == "return" else ORDERED
    numbers, wanted = cumulated(cell), (FOLLOWED, what, HELD + FOLLOWED, HELD + what)
    return _Sums(*(unpacked(numbers, packing.shift(one, horizon)) for one in wanted))


def _part(sums: _Sums, place: int, weight: float) -> Part:
    return Part(
        sums.followed[place] + weight * sums.held[place],
        sums.hits[place] + weight * sums.held_hits[place],
    )
