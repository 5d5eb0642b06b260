"""A bench's results: figures of several rounds, and ratios of figures from the same round."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

HOLDS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Goal:
    """The limit for the median of a figure."""

    sign: Literal[">=", "<="]
    value: float

    def met(self, figure: float) -> bool:
        return HOLDS[self.sign](figure, self.value)

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. A ratio has no unit."""

    part: str
    """The heading of its section."""
    name: str
    rounds: tuple[float, ...]
    unit: str = ""
    goal: Goal | None = None
    note: str = ""
    """A short explanation of the figure for the reader."""

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.goal.met(self.median)


def ratio(  # noqa: PLR0917 - a line of a table
    part: str, name: str, ours: Sequence[float], other: Sequence[float], goal: Goal | None = None, note: str = ""
) -> Figure:
    """Return a figure whose rounds are the ratios of two figures' rounds, in order."""
    return Figure(part, name, tuple(a / b for a, b in zip(ours, other, strict=True)), goal=goal, note=note)
