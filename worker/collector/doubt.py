"""How long a quarantined record holds contacts: it can be a shopper's return or order.

Silence stops where it was for as long as a disappeared collector would hold it, then counts again. A restart doesn't
end it.
"""

from collections.abc import Callable


class Doubt:
    """What a collector reports while it has quarantined records."""

    def __init__(
        self, lasts_ms: int, earlier_bytes: int = 0, earlier_age_ms: Callable[[], int | None] = lambda: None
    ) -> None:
        """Prepare. `earlier_bytes`: quarantined before the start, the last of them `earlier_age_ms` ago."""
        self._lasts_ms = lasts_ms
        self._quarantined = earlier_bytes
        self._earlier_age_ms = earlier_age_ms
        self._reported_ms = 0
        self._ends_ms = 0

    @property
    def is_open(self) -> bool:
        """Whether it holds contacts, as of the last report."""
        return self._ends_ms > 0

    def limited(self, until_ms: int, now_ms: int, quarantined: int) -> int:
        """Return up to when silence can be measured (Unix ms of the server).

        Args:
            until_ms: Up to when it could be measured without the quarantined records.
            now_ms: The server's time.
            quarantined: Bytes that were quarantined, with those before the start.
        """
        if not self._reported_ms:
            self._resume(now_ms)
        if quarantined > self._quarantined:
            if not self._ends_ms:
                self._reported_ms = max(self._reported_ms or now_ms, now_ms - self._lasts_ms)
            self._quarantined, self._ends_ms = quarantined, now_ms + self._lasts_ms
        if now_ms >= self._ends_ms:
            self._reported_ms, self._ends_ms = until_ms, 0
        return min(until_ms, self._reported_ms)

    def _resume(self, now_ms: int) -> None:
        age_ms = self._earlier_age_ms()
        if age_ms is not None and age_ms < self._lasts_ms:
            self._reported_ms, self._ends_ms = now_ms - age_ms, now_ms - age_ms + self._lasts_ms
