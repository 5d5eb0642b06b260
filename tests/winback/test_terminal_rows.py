"""Tables of ids on narrow screens."""

from io import StringIO

import pytest
from rich.console import Console

from winback.cli import terminal

HEADS = ("outreach", "claimed", "lane", "session", "outcome")
LINE = ("07-0123456789abcdef", "2026-12-01T02:41:12Z", "product_selection.android.idle", "s" * 48, "dead: http_422")


def shown(width: int, *lines: tuple[str, ...]) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False, color_system=None)
    terminal.rows(console, HEADS, lines)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_table_of_ids_cuts_nothing_off(width: int) -> None:
    text = shown(width, LINE)
    assert max(map(len, text)) <= width
    assert [cell for cell in LINE if not any(cell in line for line in text)] == []


def test_narrow_row_is_indented_from_its_second_line_on() -> None:
    assert shown(80, LINE)[1:] == [
        "07-0123456789abcdef   2026-12-01T02:41:12Z   product_selection.android.idle",
        f"  {'s' * 48}   dead: http_422",
    ]


def test_wide_screen_has_one_line_for_each_row() -> None:
    assert len(shown(200, LINE, LINE)) == 3
