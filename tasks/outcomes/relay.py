"""The relay: moves outcomes from the partitions to the feed, in their order, at least once."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from detectors.lanes import milliseconds
from state.outcome_feed import OutcomeFeed
from tasks.failpoints import reached
from tasks.outcomes.entry import entry_of
from tasks.outcomes.settings import OutcomeSettings

EACH_ROUND = 50
"""Outcomes of one partition that a round moves: 3,200 in all, so that a backlog doesn't delay dispatch for long."""
CHECK_EVERY_S = 10.0

log = structlog.get_logger("winback.tasks")


@dataclass(slots=True)
class Relay:
    """The relay of one process. `monotonic`: seconds."""

    feed: OutcomeFeed
    settings: OutcomeSettings
    secret: bytes
    monotonic: Callable[[], float]
    _checked_at: float = float("-inf")

    def move(self) -> int:
        """Move the outcomes that wait to the feed; return how many were moved.

        They are removed after they were added, so a crash in between repeats them with the same ids.

        Raises:
            StateError: Redis couldn't be reached; the next round continues.
        """
        found = self.feed.waiting(EACH_ROUND)
        lost = 0
        if found:
            reached("outcomes_read")
            self.feed.append([entry_of(one, self.secret) for one in found], most=self.settings.max_length)
            reached("outcomes_added")
            lost = self.feed.remove(found)
            reached("outcomes_removed")
        if lost:
            log.error("outcomes_lost", outcomes=lost, reason="the relay didn't move them in time")
        self._report(lost)
        return len(found)

    def _report(self, lost: int) -> None:
        now = self.monotonic()
        if now - self._checked_at < CHECK_EVERY_S:
            self.feed.report(lost)
            return
        self._checked_at = now
        now_ms = self.feed.check(lost)
        self.feed.trim(now_ms - milliseconds(self.settings.retention))
