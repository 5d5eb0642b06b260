"""Parts of the page: numbers with their exact values, tables and figures."""

import json
from collections.abc import Iterable, Sequence
from html import escape

from detectors.json_values import JsonValue

UNKNOWN = "\N{EN DASH}"
_PERCENT = 100
_ROUNDED_FROM = 1000


def count(value: float | None) -> str:
    """Return a count or an amount of money; its exact value is in the attribute `value`."""
    return data(value, UNKNOWN if value is None else written(value))


def share(value: float | None) -> str:
    """Return a part of one in percent."""
    return data(value, UNKNOWN if value is None else f"{_PERCENT * value:.1f} %")


def points(value: float | None) -> str:
    """Return a difference of two shares in percentage points."""
    return data(value, UNKNOWN if value is None else f"{_PERCENT * value:+.1f} points")


def data(value: JsonValue, shown: str) -> str:
    """Return a number as people read it, with the value of the JSON document."""
    return escape(shown) if value is None else f'<data value="{json.dumps(value)}">{escape(shown)}</data>'


def written(value: float) -> str:
    """Return a number as people read it: 12.50, or 1,235 without its decimals."""
    return f"{value:,.0f}" if abs(value) >= _ROUNDED_FROM or float(value).is_integer() else f"{value:,.2f}"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph. `kind`: its class, such as `note`."""
    return f'<p class="{kind}">{escape(text)}</p>\n' if kind else f"<p>{escape(text)}</p>\n"


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """Return a table that scrolls within itself on a narrow screen.

    Args:
        name: Its caption, which is also read aloud.
        columns: Their headings.
        rows: HTML of the cells.
        texts: How many columns from the left hold text.
    """
    head = "".join(f'<th scope="col"{_align(at, texts)}>{escape(each)}</th>' for at, each in enumerate(columns))
    body = "".join(f"<tr>{_cells(row, texts)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}"><table>\n'
        f"<caption>{escape(name)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def folded(title: str, content: str) -> str:
    """Return content that a reader opens; a printed page shows it."""
    return f"<details><summary>{escape(title)}</summary>\n{content}</details>\n"


def section(title: str, *parts: str) -> str:
    """Return a part of the page with its heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{''.join(parts)}</section>\n"


def _cells(row: Sequence[str], texts: int) -> str:
    first, *others = row
    cells = "".join(f"<td{_align(at, texts)}>{each}</td>" for at, each in enumerate(others, start=1))
    return f'<th scope="row">{first}</th>{cells}'


def _align(at: int, texts: int) -> str:
    return "" if at < texts else ' class="number"'
