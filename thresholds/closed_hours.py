"""Hours without contacts, as moments in Unix ms."""

from bisect import bisect_right
from collections.abc import Iterable


class ClosedHours:
    """Times from a begin (included) to an end (not included), in any order and with overlaps."""

    def __init__(self, times: Iterable[tuple[int, int]] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in sorted(times):
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._begins.append(begin)
                self._ends.append(end)

    def opening(self, ms: int) -> int:
        """Return the moment itself, or the end of the closed time in which it falls."""
        number = bisect_right(self._begins, ms) - 1
        return self._ends[number] if number >= 0 and ms < self._ends[number] else ms

    def last_open(self, ms: int) -> int:
        """Return the moment itself, or the begin of the closed time in which it falls."""
        number = bisect_right(self._begins, ms) - 1
        return self._begins[number] if number >= 0 and ms < self._ends[number] else ms

    def touches(self, first_ms: int, last_ms: int) -> bool:
        """Return whether any moment from the first to the last is closed."""
        number = bisect_right(self._begins, last_ms) - 1
        return number >= 0 and first_ms < self._ends[number]


ALWAYS_OPEN = ClosedHours()
