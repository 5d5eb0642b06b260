"""Recordings of a few sessions, in minutes from a moment, for the tests of thresholds."""

from collections.abc import Mapping

from detectors.flow import STAGES, Stage
from detectors.sequence import ACTIVITY_RANK, RANK_SPAN
from thresholds.closed_hours import ALWAYS_OPEN, ClosedHours
from thresholds.collector import Collector
from thresholds.contacts import Counts, Period, count
from thresholds.curve import Outcome, Point, Question, curve
from thresholds.grid import MINUTE_MS
from thresholds.observed import Observed
from thresholds.silences import Claim
from thresholds.study import ranks_of

NEVER = 10**12
START_MS = 1_772_452_800_000  # 2026-03-02T12:00Z


class EveryoneCounts:
    """Facts that let every silence count."""

    def learned(self, known: int | None, said: object, *, is_late: bool) -> int:
        del known, is_late
        assert isinstance(said, int)
        return said

    def person(self, known: int) -> int:
        return known

    def is_eligible(self, known: int | None, rank: int) -> bool:
        del known, rank
        return True

    def clock(self, known: int | None, rank: int) -> int:
        del known, rank
        return 0


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE_MS)


def seen(session: str, minute: float, stage: Stage = "checkout", person: int = 0) -> Observed:
    stamp = at(minute) * RANK_SPAN + ACTIVITY_RANK[stage, "web"]
    return Observed(stamp, at(minute), session, stamp, said=person or None)


def ordered(session: str, minute: float) -> Observed:
    return Observed(at(minute) * RANK_SPAN + 99, at(minute), session, is_tuned=False, is_order=True)


def clock(minute: float = 2880) -> Observed:
    return seen("clock", minute, "payment")


def counted(
    *events: Observed,
    horizon: float = 60,
    waits: Mapping[Stage, float] | None = None,
    claims: Mapping[str, Claim] | None = None,
    closed: ClosedHours = ALWAYS_OPEN,
) -> Counts:
    """Return the counts of events in any order; horizons and thresholds are minutes, missing thresholds infinite."""
    collector: Collector[int] = Collector(EveryoneCounts(), claim_of=(claims or {}).get)
    for event in sorted(events, key=lambda event: event.stamp):
        collector.take(event)
    silences = collector.finish()
    silences.closed = (closed,)
    chosen = waits or {}
    by_rank = {rank: round(chosen.get(stage, NEVER) * MINUTE_MS) for stage in STAGES for rank in ranks_of(stage)}
    last_ms = collector.totals.last_ms
    return count(silences, Period(0, last_ms, last_ms), by_rank, (round(horizon * MINUTE_MS),))


def points(counts: Counts, outcome: Outcome = "return", held_share: float = 0.0) -> dict[int, Point]:
    """Return the points at the checkout by the minutes of their threshold."""
    found = curve(counts, Question(outcome, counts.horizons[0]), ranks=ranks_of("checkout"), held_share=held_share)
    return {point.threshold_ms // MINUTE_MS: point for point in found}


def numbers(found: Mapping[int, Point], *minutes: int) -> list[tuple[int, int]]:
    """Return contacts that were followed, and returns, at some thresholds."""
    return [(found[minute].followed, found[minute].hits) if minute in found else (0, 0) for minute in minutes]
