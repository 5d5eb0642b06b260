"""Layouts that depend on the width of the screen."""

from io import StringIO

import pytest
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from winback.cli.layouts import Fitting, Flowing, SideBySide


def shown(what: RenderableType, width: int) -> list[str]:
    console = Console(width=width, file=StringIO(), record=True)
    console.print(what)
    return [line.strip() for line in console.export_text().splitlines()]


@pytest.mark.parametrize(("width", "lines"), [(14, ["left      right"]), (13, ["left", "", "right"])])
def test_narrow_screens_stack_what_wide_ones_put_side_by_side(width: int, lines: list[str]) -> None:
    assert shown(SideBySide(Text("left"), Text("right")), width + 1) == lines


@pytest.mark.parametrize(("width", "lines"), [(9, ["one two"]), (5, ["one", "", "two"])])
def test_a_table_that_does_not_fit_is_divided(width: int, lines: list[str]) -> None:
    wide = Table.grid(padding=(0, 1))
    wide.add_row("one", "two")

    assert shown(Fitting(wide, [Text("one"), Text("two")]), width) == lines


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["one two   three   four five"]),
        (18, ["one two   three", "four five"]),
        (10, ["one two", "three", "four five"]),
    ],
)
def test_flowing_texts_are_not_broken_inside(width: int, lines: list[str]) -> None:
    assert shown(Flowing([Text("one two"), Text("three"), Text("four five")]), width) == lines


def test_flowing_texts_take_no_more_room_than_they_need() -> None:
    grid = Table.grid()
    grid.add_row(Flowing([Text("one"), Text("two")]))
    console = Console(width=1000, file=StringIO(), record=True)
    console.print(grid)

    assert console.export_text() == "one   two\n"
