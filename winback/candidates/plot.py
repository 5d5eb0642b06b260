"""Draws the candidates of `winback simulate` with matplotlib, which is an extra: `winback[plots]`."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from winback.candidates.document import Simulated
from winback.candidates.measures import Measures
from winback.operations.whole_file import write_whole
from winback.tuning.amounts import within
from winback.tuning.plots import STYLE

FORMS = ("svg", "png")
_WIDTH, _ROW, _FRAME = 9.0, 0.38, 1.5
_BLUE, _GREY, _BARS = "#0b4f9e", "#666666", "#bdbdbd"
_HEADROOM = 1.2


def write_plot(name: str, form: str, found: Simulated, totals: Sequence[Measures]) -> None:
    """Write the plot of every candidate, or nothing if that is interrupted.

    Args:
        name: The file.
        form: One of `FORMS`.
        found: The candidates.
        totals: The numbers of each candidate for all silences.

    Raises:
        StartError: The file can't be written.
    """
    write_whole("--plot", Path(name), _drawn(form, found, totals))


def _drawn(form: str, found: Simulated, totals: Sequence[Measures]) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, _FRAME + _ROW * len(totals)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (3, 2)})
        _shares(left, found, totals)
        _contacts(right, found, totals)
        left.set_yticks(range(len(totals)), [candidate.name.replace(",", ",\n") for candidate in found.candidates])
        left.set_ylim(len(totals) - 0.5, -0.5)
        stream = BytesIO()
        # Without the date, the same recording gives the same bytes.
        figure.savefig(stream, format=form, dpi=150, metadata={"Date": None} if form == "svg" else {})
    return stream.getvalue()


def _shares(axes: Any, found: Simulated, totals: Sequence[Measures]) -> None:  # noqa: ANN401 - axes of an optional library
    axes.set_title(f"back {within(found.asked.horizon_ms)} anyway", loc="left", fontweight="bold")
    highest = 0.0
    for place, one in enumerate(totals):
        back = one.back
        if back.share is None or back.low is None or back.high is None:
            axes.text(0, place, "no contact to judge", color=_GREY, va="center")
            continue
        color = _BLUE if place else _GREY
        axes.plot([100 * back.low, 100 * back.high], [place, place], color=color, linewidth=2)
        axes.plot([100 * back.share], [place], "o", color=color, ms=8)
        highest = max(highest, 100 * back.high)
    first = totals[0].back.share
    if first is not None:
        axes.axvline(100 * first, color=_GREY, linestyle="--", linewidth=1, zorder=0)
    axes.set_xlim(0, min(100.0, highest * _HEADROOM) or 1)
    axes.set_xlabel("of 100 people contacted")
    axes.grid(axis="x", color="#e6e6e6")
    axes.set_axisbelow(True)


def _contacts(axes: Any, found: Simulated, totals: Sequence[Measures]) -> None:  # noqa: ANN401 - as above
    a_day = [one.contacts / found.asked.days if found.asked.days else 0.0 for one in totals]
    axes.set_title("contacts a day", loc="left", fontweight="bold")
    axes.barh(range(len(totals)), a_day, 0.6, color=_BARS)
    for place, number in enumerate(a_day):
        axes.annotate(f"{number:,.1f}", (number, place), (4, 0), textcoords="offset points", va="center", color=_GREY)
    axes.set_xlim(0, max(a_day) * _HEADROOM or 1)
    axes.tick_params(axis="y", length=0)
