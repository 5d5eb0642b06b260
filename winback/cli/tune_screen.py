"""The screen of `winback tune`."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from thresholds.grid import name_of
from thresholds.study import Row
from winback.tuning.amounts import of_100
from winback.tuning.tuning import Tuned, is_given
from winback.tuning.wording import PLATFORM_NAMES, about, back_test, row_warnings, sentences, title, toml

_HEADS = ("", "after", "back in 1 h", "back in 24 h", "order in 1 h", "order in 24 h")
_INDENT = 2


def show(console: Console, found: Tuned) -> None:
    """Print the results."""
    for warning in found.warnings:
        console.print(Text(f"! {warning}", "yellow"))
        console.print()
    if found.has_data:
        console.print(Text(about(found)))
    for row in found.rows:
        if row.platform is None:
            console.print()
            console.print(Text(title(row), "bold"))
        for text in _texts(row, found):
            _print(console, text)
        if row.platform is None and is_given(row) and (alike := _alike(row, found)):
            _print(console, f"{alike} don't differ enough for thresholds of their own.")
    if found.has_data:
        console.print()
        console.print("Of 100 people contacted, those who would have been back, or ordered, by themselves:")
        console.print(_table(found))
    if settings := toml(found):
        console.print()
        console.print("Settings to paste (winback tune --toml prints only these):")
        for line in settings.rstrip().splitlines():
            # Padding would fill each line up to the longest.
            console.print(Text(" " * _INDENT + line if line else ""))


def _print(console: Console, text: str) -> None:
    console.print(Padding(Text(text), (0, 0, 0, _INDENT), expand=False))


def _texts(row: Row, found: Tuned) -> list[str]:
    if row.platform is not None and not is_given(row):
        return []
    name = f"{PLATFORM_NAMES[row.platform]}: " if row.platform else ""
    return [text for text in (name + sentences(row, found), back_test(row, found), *row_warnings(row)) if text]


def _alike(of_stage: Row, found: Tuned) -> str:
    """Return the platforms of a stage, if none of them gets a threshold of its own."""
    rows = [row for row in found.rows if row.stage == of_stage.stage]
    own = [PLATFORM_NAMES[row.platform] for row in rows if row.platform]
    has_own = any(row.platform and is_given(row) for row in rows)
    return "" if has_own or not own else f"{', '.join(own[:-1])} and {own[-1]}"


def _table(found: Tuned) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(_HEADS[0], no_wrap=True)
    for head in _HEADS[1:]:
        table.add_column(head, justify="right")
    for row in (row for row in found.rows if row.platform is None or is_given(row)):
        cells = ("-" if share is None else of_100(share) for share in row.context)
        table.add_row(title(row), name_of(_shown_ms(row)), *cells)
    return table


def _shown_ms(row: Row) -> int:
    """Return the recommended threshold, or else the one in force."""
    return row.choice.point.threshold_ms if is_given(row) and row.choice.point else row.current_ms
