"""Draws two candidates of `winback simulate` against each other, by stage, with matplotlib: an extra."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from detectors.flow import STAGES
from winback.candidates.document import Measured, Simulated
from winback.candidates.measures import Measures
from winback.operations.whole_file import write_whole
from winback.tuning.amounts import within
from winback.tuning.plots import STYLE
from winback.tuning.wording import TITLES
from worker.errors import StartError

COMPARED = 2
_COLORS = ("#666666", "#0b4f9e")
_WIDTH, _ROW, _FRAME = 9.0, 0.7, 1.8
_HEADROOM = 1.08
_APART = 0.16
"""How far the two candidates of a stage are from its middle."""


def require_two(number: int) -> None:
    """Check that there are two candidates, the settings in force among them.

    Raises:
        StartError: There are more or fewer.
    """
    if number != COMPARED:
        raise StartError("--compare: compares the settings in force with one candidate: name it with one --set")


def write_comparison(name: str, form: str, found: Simulated, numbers: Measured) -> None:
    """Write the plot, or nothing if that is interrupted.

    Args:
        name: The file.
        form: `svg` or `png`.
        found: Two candidates.
        numbers: Their numbers.

    Raises:
        StartError: The file can't be written.
    """
    write_whole("--compare", Path(name), _drawn(form, found, numbers))


def _drawn(form: str, found: Simulated, numbers: Measured) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    stages = [stage for stage in STAGES if (stage, None, None) in numbers.parts]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, _FRAME + _ROW * len(stages)), layout="constrained")
        panels = figure.subplots(1, 3, sharey=True)
        titles = ("back anyway", "contacts", "reached")
        units = (f"of 100 people contacted,\n{within(found.asked.horizon_ms)}", "a day", "of 100 who left")
        for axes, title, unit in zip(panels, titles, units, strict=True):
            axes.set_title(title, loc="left", fontweight="bold")
            axes.set_xlabel(unit)
        for place, stage in enumerate(stages):
            for number, of_parts in enumerate(numbers.of_candidates):
                one, at = of_parts[stage, None, None], place + (2 * number - 1) * _APART
                for axes, values in zip(panels, _values(one, found.asked.days), strict=True):
                    _draw(axes, values, at, _COLORS[number])
        panels[0].set_yticks(range(len(stages)), [TITLES[stage] for stage in stages])
        panels[0].set_ylim(len(stages) - 0.5, -0.5)
        for axes in panels:
            axes.set_xlim(0, axes.dataLim.x1 * _HEADROOM if axes.dataLim.x1 > 0 else 1)
            axes.grid(axis="x", color="#e6e6e6")
        marks = [Line2D([], [], marker="o", ms=7, linewidth=0, color=color) for color in _COLORS]
        figure.legend(marks, [one.name for one in found.candidates], loc="outside lower left", frameon=False)
        stream = BytesIO()
        # Without the date, the same recording gives the same bytes.
        figure.savefig(stream, format=form, dpi=150, metadata={"Date": None} if form == "svg" else {})
    return stream.getvalue()


def _values(one: Measures, days: float) -> Iterator[tuple[float, ...]]:
    """Yield for each panel a value, and its interval if it has one; nothing if it isn't known."""
    back = one.back
    known = back.share is not None and back.low is not None and back.high is not None
    yield tuple(100 * part for part in (back.share, back.low, back.high) if part is not None) if known else ()
    yield (one.contacts / days,) if days else ()
    yield (100 * one.gone.contacted / one.gone.n,) if one.gone.n else ()


def _draw(axes: Any, values: tuple[float, ...], at: float, color: str) -> None:  # noqa: ANN401 - axes of an optional library
    if not values:
        axes.annotate("too few", (0, at), (4, 0), textcoords="offset points", va="center", color=color)
        return
    if values[1:]:
        axes.plot(values[1:], [at, at], color=color, linewidth=2)
    axes.plot(values[:1], [at], "o", color=color, ms=7)
