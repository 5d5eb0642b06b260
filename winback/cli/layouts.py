"""Layouts that depend on the width of the screen, so that no table breaks its lines or cuts anything off."""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_GAP = 6
SEPARATOR = Text("   ")


class SideBySide:
    """Two renderables next to each other, or one below the other if the screen is too narrow."""

    def __init__(self, left: RenderableType, right: RenderableType) -> None:
        self._both = left, right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield both in one row if each fits without breaking a line."""
        if sum(_width(console, options, each) for each in self._both) + _GAP <= options.max_width:
            row = Table.grid(padding=(0, _GAP))
            row.add_row(*self._both)
            yield row
        else:
            yield _stacked(self._both)


class Fitting:
    """A wide renderable, or several narrow ones below each other if it doesn't fit."""

    def __init__(self, wide: RenderableType, narrow: Sequence[RenderableType]) -> None:
        self._wide = wide
        self._narrow = narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the wide one if it fits without breaking a line."""
        yield self._wide if _width(console, options, self._wide) <= options.max_width else _stacked(self._narrow)


class Flowing:
    """Short texts in as few lines as possible. A line breaks only between two texts."""

    def __init__(self, parts: Sequence[Text]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        lines: list[list[Text]] = []
        for part in self._parts:
            if lines and SEPARATOR.join([*lines[-1], part]).cell_len <= options.max_width:
                lines[-1].append(part)
            else:
                lines.append([part])
        yield Text("\n").join(SEPARATOR.join(line) for line in lines)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the width of the longest text, and the width of all texts in one line."""
        longest = max((part.cell_len for part in self._parts), default=0)
        return Measurement(longest, SEPARATOR.join(self._parts).cell_len).clamp(None, options.max_width)


def _width(console: Console, options: ConsoleOptions, wanted: RenderableType) -> int:
    return Measurement.get(console, options.update(max_width=_UNBOUNDED), wanted).maximum


_UNBOUNDED = 10_000
"""The width in which the longest line is measured."""


def _stacked(each: Sequence[RenderableType]) -> Group:
    first, *more = each
    return Group(first, *(part for one in more for part in (Text(), one)))
