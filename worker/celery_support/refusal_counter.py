"""Counts this worker's refusals, and records them with its heartbeats."""

from collections import Counter
from threading import Lock
from typing import Final

import structlog

from state import refusals
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts

log = structlog.stdlib.get_logger("winback.messages")


class RefusalCounter:
    """The number of refusals since the last record, by reason. Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._guard = Lock()

    def count(self, reason: str) -> None:
        """Count one more."""
        with self._guard:
            self._counts[reason] += 1

    def record(self, scripts: Scripts, keys: Keys) -> None:
        """Log the refusals in one line, and add them to the record.

        Raises:
            StateError: The server doesn't take them; they are recorded the next time.
        """
        with self._guard:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        log.warning("messages_refused", number=counts.total(), reasons=dict(counts))
        try:
            refusals.add(scripts, keys, counts)
        except StateError:
            with self._guard:
                self._counts.update(counts)
            raise


refused: Final = RefusalCounter()
"""The refusals of this process."""
