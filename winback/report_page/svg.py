"""The charts of the page as inline SVG, with a title and a description for screen readers."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import count
from math import log10
from typing import NamedTuple

from winback.report_page.elements import written

WIDTH = 480
"""Of every chart. A phone shows it at three quarters of this size, a wide screen slightly larger."""
_ROW = 46
_TEXT_PX = 9
"""The usual width of a character."""
_NICE = (1, 2, 2.5, 5, 10)


class Bar(NamedTuple):
    """One bar with its label."""

    label: str
    value: float
    color: str = "a"
    """The class of its color, `a` to `e`."""


class Axis(NamedTuple):
    """The numbers of a vertical axis, from zero up."""

    top: float
    steps: tuple[float, ...]


def figure(name: str, title: str, description: str, height: float, marks: Iterable[str]) -> str:
    """Return a chart. `name`: an id that no other chart of the page has."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="{name}-title {name}-desc">\n'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>\n'
        + "\n".join(marks)
        + "\n</svg>\n"
    )


def bars(name: str, title: str, rows: Sequence[Bar]) -> str:
    """Return horizontal bars with their labels above them, so that long labels fit on a phone."""
    most = max([row.value for row in rows], default=0) or 1
    marks = []
    for y, row in zip(count(0, _ROW), rows, strict=False):
        width = max(row.value / most * WIDTH, 2 if row.value else 0)
        place = f'x="0" y="{y + 23}" height="12" rx="3"'
        marks += [
            text(0, y + 16, row.label),
            text(WIDTH, y + 16, written(row.value), "end strong"),
            f'<rect class="rail" {place} width="{WIDTH}"/>',
            f'<rect class="{row.color}" {place} width="{width:.1f}"/>',
        ]
    said = "; ".join(f"{row.label}: {written(row.value)}" for row in rows)
    return figure(name, title, said, max(_ROW * len(rows), 1), marks)


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return words; `kind`: their classes, such as `end` or `strong`."""
    classes = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{classes}>{escape(words)}</text>'


def width_of(words: str) -> float:
    """Return about how wide words are."""
    return len(words) * _TEXT_PX


def axis(most: float, *, whole: bool = True) -> Axis:
    """Return an axis of at most five steps up to a round number. `whole`: without fractions."""
    if most <= 0:
        return Axis(1, (0, 1))
    power = 10 ** int(log10(most / 4) // 1) if most / 4 > 0 else 1
    step = next(nice * power for nice in _NICE if nice * power >= most / 4)
    if whole:
        step = max(1, round(step))
    number = int(-(-most // step))
    return Axis(step * number, tuple(step * at for at in range(number + 1)))


def legend(names: Iterable[tuple[str, str]]) -> str:
    """Return the names of colors: classes and words."""
    items = "".join(f'<li><span class="swatch {color}"></span>{escape(name)}</li>' for color, name in names)
    return f'<ul class="legend">{items}</ul>\n'
