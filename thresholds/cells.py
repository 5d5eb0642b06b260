"""Counts for all thresholds at once: difference arrays, those of one group or day packed into a list of whole numbers.

The number at a place of the grid holds the changes of all counts there, each in bits of its own. The sum up to a place
holds the counts themselves, which are never negative, so that none takes from its neighbour. Two additions in place of
two for each count make the pass over a recording three times as fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from thresholds.grid import SIZE

FOLLOWED, RETURNED, ORDERED = 0, 1, 2
HELD = 3
"""Added to one of the three above: the same of people who were held out."""
UNKNOWN = 6
"""Contacts whose outcome a contact in the recording has changed."""
_BITS = 40
"""More than 10^12 contacts."""
_MASK = (1 << _BITS) - 1
CONTACT = 1
"""One contact, packed."""

Cell = list[int]
"""A packed number for each place of the grid, and one for its end."""


@dataclass(frozen=True)
class Packing:
    """The place of each count in a packed number. The usual ones come first, so that most numbers are short."""

    horizons: tuple[int, ...]
    """In ms."""

    def shift(self, what: int, horizon: int) -> int:
        """Return the lowest bit of a count: `what` within the horizon of this number."""
        return _BITS * (1 + what * len(self.horizons) + horizon)

    def unit(self, what: int, horizon: int) -> int:
        """Return one case of a count, packed."""
        return 1 << self.shift(what, horizon)

    @cached_property
    def units(self) -> list[tuple[int, int, int, int]]:
        """Return each horizon (ms) with the units of its contacts, returns and orders."""
        found = []
        for number, horizon in enumerate(self.horizons):
            followed, returned, ordered = (self.unit(what, number) for what in (FOLLOWED, RETURNED, ORDERED))
            found.append((horizon, followed, returned, ordered))
        return found


def empty() -> Cell:
    """Return a cell without any case."""
    return [0] * (SIZE + 1)


def added(cells: Iterable[Cell]) -> Cell:
    """Return the sums of cells."""
    several = list(cells)
    return several[0] if len(several) == 1 else [sum(values) for values in zip(*several, strict=True)]


def cumulated(cell: Cell) -> list[int]:
    """Return the packed counts for every threshold."""
    return list(accumulate(cell[:SIZE]))


def unpacked(numbers: Sequence[int], shift: int = 0) -> list[int]:
    """Return one count for every threshold; without a shift, all contacts."""
    return [(number >> shift) & _MASK for number in numbers]
