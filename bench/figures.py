"""What a bench found: figures of several rounds, and ratios of figures that were measured in the same round."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

HOLDS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Goal:
    """What the median of a figure has to keep to."""

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
    """The heading it stands under."""
    name: str
    rounds: tuple[float, ...]
    unit: str = ""
    goal: Goal | None = None
    note: str = ""
    """What a reader must know to understand the figure, in a few words."""

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.goal.met(self.median)


def ratio(  # noqa: PLR0917 - a line of a table
    part: str, name: str, ours: Sequence[float], other: Sequence[float], goal: Goal | None = None, note: str = ""
) -> Figure:
    """Return a figure whose rounds are the ratios of two figures' rounds, first with first, second with second."""
    return Figure(part, name, tuple(a / b for a, b in zip(ours, other, strict=True)), goal=goal, note=note)
