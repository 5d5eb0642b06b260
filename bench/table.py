"""One table of all results."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bench.figures import Figure


def written(value: float) -> str:
    """Return a number with its significant digits."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(figure: Figure) -> str:
    """Return the median and the range of the rounds."""
    unit = f" {figure.unit}" if figure.unit else ""
    if len(figure.rounds) == 1:
        return f"{written(figure.median)}{unit}"
    return f"{written(figure.median)}{unit} ({written(min(figure.rounds))} to {written(max(figure.rounds))})"


def verdict(figure: Figure) -> str:
    return {True: "yes", False: "no", None: ""}[figure.met]


def table(figures: Sequence[Figure], machine: dict[str, Any]) -> Table:
    title = (
        f"Winback on {machine['processors']} processors ({machine['processor']}), {machine['memory_gb']} GB, "
        f"Linux {machine['kernel']}, Python {machine['python']}, {machine['server']}"
    )
    made = Table("part", "what", "median (min to max)", "goal", "met", title=title, title_justify="left")
    part = ""
    for figure in figures:
        if figure.part != part and part:
            made.add_section()
        what = f"{figure.name}\n[dim]{figure.note}[/dim]" if figure.note else figure.name
        heading = figure.part if figure.part != part else ""
        made.add_row(heading, what, spread(figure), str(figure.goal or ""), verdict(figure))
        part = figure.part
    return made


def markdown(figures: Sequence[Figure]) -> str:
    """Write figures as a table in Markdown."""
    return "\n".join(["| | median (min to max) | goal | met |", "|---|--:|--:|---|", *map(_row, figures)])


def _row(figure: Figure) -> str:
    what = f"{figure.name} ({figure.note})" if figure.note else figure.name
    return f"| {what} | {spread(figure)} | {figure.goal or ''} | {verdict(figure)} |"
