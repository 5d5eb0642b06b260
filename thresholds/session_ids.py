"""Whether session ids end after a silence: a framework that issues a new id hides returns."""

from array import array

from thresholds.grid import MINUTE_MS

FEWEST_GAPS = 1000
_LONGEST_S = 7 * 24 * 3600
_QUANTILE = 0.999
_SHARE_BEFORE_EDGE = 0.02
_LAST_TO_EARLIER = 0.25
"""Where ids end, many gaps are just shorter. Where shoppers just stop returning, gaps get rare before: of exponential
ones, 3.2 % are in the last half, and in its second part 0.18 times as many as in its first."""
_LENGTHS = 10
"""The recording must be this much longer than the silence after which ids end."""


class GapCounter:
    """Counts the gaps between events of one session by their length, to the second."""

    def __init__(self) -> None:
        self._counts = array("L", bytes(array("L").itemsize * (_LONGEST_S + 1)))
        self.total = 0

    def add(self, gap_ms: int) -> None:
        """Count a gap; those up to one minute don't count."""
        if gap_ms > MINUTE_MS:
            self._counts[min(gap_ms // 1000, _LONGEST_S)] += 1
            self.total += 1

    def edge_ms(self, recording_ms: int) -> int | None:
        """Return the silence after which session ids end, None if they don't or that can't be told."""
        if self.total < FEWEST_GAPS:
            return None
        wanted, so_far, edge = _QUANTILE * self.total, 0, 0
        for edge, number in enumerate(self._counts):  # noqa: B007 - the second at which the sum suffices
            so_far += number
            if so_far >= wanted:
                break
        earlier = sum(self._counts[edge // 2 + 1 : edge * 3 // 4 + 1])
        last = sum(self._counts[edge * 3 // 4 + 1 : edge + 1])
        is_hard = earlier + last > _SHARE_BEFORE_EDGE * self.total and last >= _LAST_TO_EARLIER * earlier
        is_certain = edge < _LONGEST_S and recording_ms >= _LENGTHS * edge * 1000
        return (edge + 1) * 1000 if is_hard and is_certain else None
