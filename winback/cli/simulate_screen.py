"""The screen of `winback simulate`."""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from winback.candidates.document import Simulated
from winback.candidates.measures import Measures, difference
from winback.candidates.tally import Asked
from winback.tuning.amounts import number, number_of, of_100

_HEADS = ("settings", "contacts", "a day", "back", "difference", "gone", "reached")
_GAP, _LEAST_WIDTH = 2, 16
_PIECE = re.compile(r"[^.,]+[.,]?")


def show(console: Console, found: Simulated, totals: Sequence[Measures]) -> None:
    """Print a line for each candidate. `totals`: the numbers of each for all silences."""
    for doubt in found.doubts:
        console.print(Text(f"! {doubt}", "yellow"))
        console.print()
    population = "reachable shoppers" if found.is_contactable else "all shoppers, reachable or not"
    events, days = number_of(found.events, "event"), f"{found.asked.days:.1f} days"
    console.print(f"{events}, {days}, {population}. Of 100 people contacted:")
    rows = [_cells(one, totals[0], found.asked) for one in totals]
    widths = [max(map(len, column)) + _GAP for column in zip(_HEADS[1:], *rows, strict=True)]
    width = max(_LEAST_WIDTH, console.width - sum(widths))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    table.add_column(_HEADS[0], overflow="fold")
    for head in _HEADS[1:]:
        table.add_column(head, justify="right", no_wrap=True)
    for candidate, cells in zip(found.candidates, rows, strict=True):
        table.add_row(folded(candidate.name, width), *cells)
    console.print(table)


def folded(name: str, width: int) -> str:
    """Return the settings of a candidate in lines of at most `width` characters, broken after dots and commas."""
    lines = [""]
    for piece in _PIECE.findall(name):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _cells(one: Measures, base: Measures, asked: Asked) -> list[str]:
    back = "-" if one.back.share is None else of_100(one.back.share)
    paired = difference(one, base)
    shift = "-"
    if one is not base and paired.back_share is not None and paired.low is not None and paired.high is not None:
        shift = f"{100 * paired.back_share:+.1f} ({100 * paired.low:+.1f} to {100 * paired.high:+.1f})"
    a_day = number(one.contacts / asked.days) if asked.days else "-"
    return [f"{one.contacts:,}", a_day, back, shift, f"{one.gone.n:,}", f"{one.gone.contacted:,}"]
