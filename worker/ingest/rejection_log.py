"""Logs rejected events: at most one line per minute and process, with a count for each reason and no values."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic

import structlog

from worker.ingest.batch import Rejection

INTERVAL_S = 60.0
MOST_REASONS = 5
_MOST_COUNTED = 100
_INDEX = re.compile(r"\.[0-9]+(?=\.|$)")

log = structlog.get_logger("winback.ingest")


class RejectionLog:
    """Counts the rejections of one process. `clock`: seconds, steady."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._logged_at_s = -INTERVAL_S
        self._rejected = self._partly = 0
        self._reasons: Counter[str] = Counter()

    def add(self, rejections: Sequence[Rejection]) -> None:
        """Count the rejections of a committed batch. If the interval is over, log those since the last line."""
        for rejection in rejections:
            self._partly += rejection.applied
            self._rejected += not rejection.applied
            problem = rejection.problems[0]
            reason = f"{_INDEX.sub('', problem.field) or 'event'} {problem.message}"
            self._reasons[reason if len(self._reasons) < _MOST_COUNTED else "other reasons"] += 1
        now_s = self._clock()
        if self._reasons and now_s - self._logged_at_s >= INTERVAL_S:
            self._logged_at_s = now_s
            self._log()

    def _log(self) -> None:
        counts = self._reasons.most_common()
        shown = [f"{reason}: {number}" for reason, number in counts[:MOST_REASONS]]
        if others := sum(number for _, number in counts[MOST_REASONS:]):
            shown.append(f"other reasons: {others}")
        log.warning(
            "events_rejected",
            rejected=self._rejected,
            partly_applied=self._partly,
            reasons=shown,
            hint="winback rejected list",
        )
        self._rejected = self._partly = 0
        self._reasons.clear()
