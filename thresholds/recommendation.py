"""The shortest threshold that keeps the promise, and how far the data supports it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from thresholds.curve import Point, bounds_within
from thresholds.grid import GRID

FEWEST_CONTACTS = 100
HALF_WIDTH = 0.025
"""The widest half of an interval with which a recommendation is `ok`."""

Status = Literal["ok", "rough", "shortest", "not_reachable", "too_few", "touched", "ids_end"]
GIVEN: frozenset[Status] = frozenset({"ok", "rough", "shortest"})
"""The statuses with a threshold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A recommendation, or why there is none."""

    status: Status
    point: Point | None
    """At the recommended threshold."""
    threshold_low_ms: int | None = None
    threshold_high_ms: int | None = None
    days_needed: int | None = None
    """How many more days at the present pace give enough contacts."""


def choose(
    points: Sequence[Point],
    target: float,
    *,
    days: float,
    ids_end_past: Callable[[int], bool] = lambda _: False,
    cautious: bool = False,
) -> Choice:
    """Return the recommendation for a stage.

    Args:
        points: Its curve.
        target: The largest share, a part of one.
        days: The length of the counted time.
        ids_end_past: Whether session ids end too early to judge a threshold in ms.
        cautious: Recommend the threshold at which the upper bound is within the target.
    """
    judged = [point for point in points if not point.is_touched and not ids_end_past(point.threshold_ms)]
    low, high = bounds_within(judged, target) if judged else (None, None)
    if cautious:
        chosen = next((point for point in judged if point.threshold_ms == high), None)
    else:
        chosen = next((point for point in judged if point.share <= target), None)
    most = max((point.followed for point in points), default=0)
    if chosen is None:
        if any(point.is_touched for point in points):
            return Choice("touched", None)
        if any(ids_end_past(point.threshold_ms) for point in points):
            return Choice("ids_end", None)
        enough = most >= FEWEST_CONTACTS
        return Choice("not_reachable" if enough else "too_few", None, days_needed=None if enough else _more(most, days))
    if chosen.followed < FEWEST_CONTACTS:
        return Choice("too_few", None, days_needed=_more(chosen.followed, days))
    half = (chosen.interval.high - chosen.interval.low) / 2
    if half > HALF_WIDTH:
        return Choice("rough", chosen, low, high, days_needed=max(1, ceil(days * ((half / HALF_WIDTH) ** 2 - 1))))
    return Choice("shortest" if chosen.threshold_ms == GRID[0] else "ok", chosen, low, high)


def _more(contacts: int, days: float) -> int | None:
    """Return the days until there are enough contacts at the present pace; None: there are none."""
    return max(1, ceil(days * (FEWEST_CONTACTS / contacts - 1))) if contacts and days else None
