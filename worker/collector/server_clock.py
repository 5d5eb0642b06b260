"""The state server's time, between two answers of it."""

from collections.abc import Callable
from time import monotonic, time


class ServerClock:
    """Estimates the server's time. Until the server has answered once, the host's clock counts, which can be wrong."""

    def __init__(self, steady: Callable[[], float] = monotonic, host: Callable[[], float] = time) -> None:
        self._steady = steady
        self._offset_ms = host() * 1000 - steady() * 1000
        self.is_known = False

    def set(self, server_ms: int) -> None:
        """Take over the time of the server."""
        self._offset_ms = server_ms - self._steady() * 1000
        self.is_known = True

    def steady_s(self) -> float:
        """Return a time in seconds that never jumps."""
        return self._steady()

    def now_ms(self) -> int:
        """Return the server's time (Unix ms)."""
        return int(self._steady() * 1000 + self._offset_ms)
