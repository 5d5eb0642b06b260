"""The thresholds of all stages together, and of platforms that differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt

from detectors.flow import PLATFORMS, STAGES, Platform, Stage
from detectors.sequence import ACTIVITY_RANK
from thresholds.backtest import BackTest, backtest
from thresholds.contacts import Counting, Counts, Period
from thresholds.curve import Point, Question, counted_contacts, curve
from thresholds.grid import DAY_MS, HOUR_MS, place
from thresholds.recommendation import GIVEN, Choice, choose
from thresholds.silences import Silences

CONTEXT: tuple[Question, ...] = (
    Question("return", HOUR_MS),
    Question("return", DAY_MS),
    Question("order", HOUR_MS),
    Question("order", DAY_MS),
)
"""Shares that are shown with every recommendation."""
_DIFFERENCE = 0.01
_TWO_SIDED_99 = 2.58


@dataclass(frozen=True, slots=True)
class Asked:
    """The request for a recommendation."""

    question: Question
    target: float
    cautious: bool = False
    max_per_session: int = 1
    held_share: float = 0.0
    ids_end_ms: int | None = None
    """The silence after which session ids end; None: they don't, or people are known."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Every horizon that is counted, in ms."""
        return tuple(sorted({self.question.horizon_ms, *(each.horizon_ms for each in CONTEXT)}))

    def is_past_ids(self, threshold_ms: int, horizon_ms: int | None = None) -> bool:
        """Return whether session ids end before the horizon of this threshold; without one, the horizon asked for."""
        horizon_ms = self.question.horizon_ms if horizon_ms is None else horizon_ms
        return self.ids_end_ms is not None and threshold_ms + horizon_ms > self.ids_end_ms


@dataclass(frozen=True, slots=True)
class Row:
    """The result for a stage, or for one platform of it."""

    stage: Stage
    platform: Platform | None
    choice: Choice
    points: list[Point]
    most_contacts: int
    """The most contacts that any threshold has."""
    current_ms: int
    """The threshold in force."""
    context: tuple[float | None, ...]
    """Shares at the recommendation, in the order of `CONTEXT`."""
    backtest: BackTest | None = None
    moved: bool = False
    """Whether the two passes differ by more than one step of the grid."""

    def at(self, threshold_ms: int) -> Point | None:
        """Return the point of the longest threshold of the grid that isn't longer than this one."""
        return next((point for point in reversed(self.points) if point.threshold_ms <= threshold_ms), None)


@dataclass(frozen=True, slots=True)
class Study:
    """The results for all stages."""

    rows: list[Row]
    """One for each stage, followed by those of its platforms."""
    others_ms: Mapping[Stage, int]
    """The thresholds of the other stages on which each row rests."""


def study(silences: Silences, period: Period, asked: Asked, waits: Mapping[int, int]) -> Study:
    """Return the results for all stages.

    The first pass takes the other stages' thresholds in force (`waits`, ms by rank). The second takes those that the
    first has chosen.
    """
    counting = Counting(silences, period, asked.horizons, max_per_session=asked.max_per_session)
    first = counting.counts(waits)
    chosen = {stage: _choice(first, period, asked, stage) for stage in STAGES}
    then = {
        rank: point.threshold_ms if (point := chosen[stage].point) else waits[rank]
        for stage in STAGES
        for rank in ranks_of(stage)
    }
    second = counting.counts(then) if then != waits else first
    rows = [row for stage in STAGES for row in _rows(second, period, asked, stage, waits=waits, before=chosen[stage])]
    return Study(rows, _by_stage(then))


def study_counts(counts: Counts, period: Period, asked: Asked, waits: Mapping[int, int]) -> Study:
    """Return the results for all stages, with the other stages' thresholds in force when the counts were made."""
    rows = [row for stage in STAGES for row in _rows(counts, period, asked, stage, waits=waits)]
    return Study(rows, _by_stage(waits))


def _by_stage(waits: Mapping[int, int]) -> dict[Stage, int]:
    return {stage: waits[ranks_of(stage)[0]] for stage in STAGES}


def ranks_of(stage: Stage, platform: Platform | None = None) -> list[int]:
    """Return the ranks of a stage, on one platform or on all."""
    return [ACTIVITY_RANK[stage, one] for one in PLATFORMS if platform in {None, one}]


def days_of(period: Period) -> float:
    """Return the length of the counted time in days."""
    return max(0.0, (period.last_ms - period.first_ms) / DAY_MS)


def _points(
    counts: Counts,
    asked: Asked,
    ranks: list[int],
    question: Question | None = None,
    *,
    period: Period | None = None,
    is_later: bool | None = None,
) -> list[Point]:
    return curve(
        counts,
        question or asked.question,
        ranks=ranks,
        held_share=asked.held_share,
        is_later=is_later,
        later_day=period.later_day if period else 0,
    )


def _choice(counts: Counts, period: Period, asked: Asked, stage: Stage, platform: Platform | None = None) -> Choice:
    points = _points(counts, asked, ranks_of(stage, platform))
    return choose(points, asked.target, days=days_of(period), ids_end_past=asked.is_past_ids, cautious=asked.cautious)


def _rows(
    counts: Counts,
    period: Period,
    asked: Asked,
    stage: Stage,
    *,
    waits: Mapping[int, int],
    before: Choice | None = None,
) -> Iterator[Row]:
    of_stage = _row(counts, period, asked, stage, None, waits=waits)
    if of_stage.choice.point and before and before.point:
        steps = place(of_stage.choice.point.threshold_ms) - place(before.point.threshold_ms)
        of_stage = replace(of_stage, moved=abs(steps) > 1)
    yield of_stage
    active = [one for one in PLATFORMS if max(counted_contacts(counts, ranks_of(stage, one))) > 0]
    for platform in active if len(active) > 1 else ():
        row = _row(counts, period, asked, stage, platform, waits=waits)
        others = [rank for one in active if one != platform for rank in ranks_of(stage, one)]
        if not _differs(of_stage, row, _points(counts, asked, others)):
            row = replace(row, choice=replace(row.choice, point=None), backtest=None)
        yield row


def _differs(of_stage: Row, row: Row, rest: list[Point]) -> bool:
    """Return whether a platform's share differs from that of the others at the stage's recommendation."""
    if row.choice.status == "too_few" or of_stage.choice.point is None:
        return False
    at_ms = of_stage.choice.point.threshold_ms
    own = next((point for point in row.points if point.threshold_ms == at_ms), None)
    other = next((point for point in rest if point.threshold_ms == at_ms), None)
    if own is None or other is None:
        return False
    difference = abs(own.share_raw - other.share_raw)
    return difference >= _DIFFERENCE and difference > _TWO_SIDED_99 * sqrt(own.error**2 + other.error**2)


def _row(
    counts: Counts, period: Period, asked: Asked, stage: Stage, platform: Platform | None, *, waits: Mapping[int, int]
) -> Row:
    ranks = ranks_of(stage, platform)
    points = _points(counts, asked, ranks)
    choice = _choice(counts, period, asked, stage, platform)
    parts = [_points(counts, asked, ranks, period=period, is_later=later) for later in (False, True)]
    kept = backtest(parts[0], parts[1], asked.target) if choice.status in GIVEN else None
    if kept and kept.drift and choice.status in {"ok", "shortest"}:
        choice = replace(choice, status="rough")
    current_ms = waits[ranks[0]]
    at_ms = choice.point.threshold_ms if choice.point else current_ms
    return Row(
        stage=stage,
        platform=platform,
        choice=choice,
        points=points,
        most_contacts=max(counted_contacts(counts, ranks)),
        current_ms=current_ms,
        context=tuple(
            None
            if question.horizon_ms not in counts.horizons or asked.is_past_ids(at_ms, question.horizon_ms)
            else _share_at(_points(counts, asked, ranks, question), at_ms)
            for question in CONTEXT
        ),
        backtest=kept,
    )


def _share_at(points: list[Point], at_ms: int) -> float | None:
    found = next((point for point in reversed(points) if point.threshold_ms <= at_ms), None)
    return None if found is None or found.is_touched else found.share_raw
