"""Draws the result for each stage with matplotlib, which is an extra: `winback[plots]`."""

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from thresholds.curve import Point
from thresholds.grid import GRID, HOUR_MS, MINUTE_MS
from thresholds.study import Row
from winback.tuning.amounts import within
from winback.tuning.tuning import Tuned, is_given, today
from winback.tuning.wording import title

MISSING = "needs matplotlib: pip install 'winback[plots]'"
_WIDTH, _HEIGHT = 8.0, 6.0
_BLUE, _LIGHT, _RED, _GREY, _BARS = "#0b4f9e", "#c5dff0", "#c4262e", "#666666", "#bdbdbd"
_TICKS = (2, 5, 10, 15, 30, 60, 120, 240, 360)
_TICK_NAMES = ("2 min", "5", "10", "15", "30", "1 h", "2 h", "4 h", "6 h")
_ROOM_BEFORE_MS = 90 * MINUTE_MS
_HIGH, _LOW = 0.25, 0.1
"""How far labels are above the curve, as parts of the height: the left one of two is higher."""
_HEADROOM = 1.25
STYLE = {"svg.hashsalt": "winback", "font.family": "DejaVu Sans", "axes.spines.top": False, "axes.spines.right": False}
"""The look of every plot."""


def is_available() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def drawn(found: Tuned, rows: Sequence[Row], form: str) -> bytes:
    """Return one picture with a panel for each row. `form`: `svg` or `png`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, _HEIGHT * max(1, len(rows))), layout="constrained")
        parts = figure.subfigures(len(rows), 1, squeeze=False, hspace=0.06).flat if rows else ()
        for part, row in zip(parts, rows, strict=True):
            _draw(part, found, row)
        stream = BytesIO()
        # Without the date, the same recording gives the same bytes.
        figure.savefig(stream, format=form, dpi=150, metadata={"Date": None} if form == "svg" else {})
    return stream.getvalue()


def _draw(part: Any, found: Tuned, row: Row) -> None:  # noqa: ANN401 - a figure of an optional library
    above, below = part.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    above.set_title(f"{title(row)}: how long to wait?", loc="left", fontweight="bold")
    judged = [point for point in row.points if not point.is_touched]
    if judged:
        _curve(above, found, judged)
        _dots(above, found, row, judged)
    else:
        above.text(0.5, 0.5, "no cases to judge", transform=above.transAxes, ha="center", color=_GREY)
    _bars(below, found, row.points)
    below.set_xscale("log")
    below.set_xlim(GRID[0] * 0.9, GRID[-1] * 1.1)
    below.set_xticks([minutes * MINUTE_MS for minutes in _TICKS], _TICK_NAMES)
    below.minorticks_off()
    below.set_xlabel("silence before a contact (threshold)")


def _curve(axes: Any, found: Tuned, judged: list[Point]) -> None:  # noqa: ANN401 - as above
    places = [point.threshold_ms for point in judged]
    bounds = ([100 * point.interval.low for point in judged], [100 * point.interval.high for point in judged])
    axes.fill_between(places, *bounds, color=_LIGHT, linewidth=0)
    axes.plot(places, [100 * point.share for point in judged], color=_BLUE, linewidth=2)
    target = 100 * found.wanted.target
    axes.axhline(target, color=_RED, linestyle="--", linewidth=1)
    place, below = (GRID[-1], target), {"textcoords": "offset points", "va": "top"}
    axes.annotate(f"target {target:g} %", place, (0, -3), color=_RED, ha="right", **below)
    did = "returned" if found.wanted.question.outcome == "return" else "ordered"
    axes.set_ylabel(
        f"of 100 people contacted,\nthose who would have {did}\n{within(found.wanted.question.horizon_ms)} anyway"
    )
    axes.set_ylim(0, max(target, *bounds[1]) * _HEADROOM)
    axes.grid(axis="y", color="#e6e6e6")
    axes.set_axisbelow(True)


def _dots(axes: Any, found: Tuned, row: Row, judged: list[Point]) -> None:  # noqa: ANN401 - as above
    point = row.choice.point if is_given(row) else None
    now = today(row, found)
    if now and not now.is_touched and (point is None or now.threshold_ms != point.threshold_ms):
        axes.plot([now.threshold_ms], [100 * now.share], "o", mfc="white", mec=_GREY, ms=9, zorder=4)
        words = f"today: {_short(row.current_ms)}, {100 * now.share:.1f} %"
        is_later = point is not None and point.threshold_ms < now.threshold_ms
        _label(axes, now, words, _GREY, weight="normal", lift=_LOW if is_later else _HIGH)
    if point:
        axes.plot([point.threshold_ms], [100 * point.share], "o", color=_BLUE, ms=11, zorder=5)
        bounds = f"{100 * point.interval.low:.1f} to {100 * point.interval.high:.1f}"
        words = f"recommended: {_short(point.threshold_ms)}\n{100 * point.share:.1f} % ({bounds})"
        is_earlier = now is None or point.threshold_ms <= now.threshold_ms
        _label(axes, point, words, _BLUE, weight="bold", lift=_HIGH if is_earlier else _LOW)
    elif row.choice.status == "not_reachable":
        lowest = min(judged, key=lambda each: each.share)
        words = f"lowest: {_short(lowest.threshold_ms)}, {100 * lowest.share:.1f} %"
        _label(axes, lowest, words, _BLUE, weight="bold", lift=_HIGH)
    elif row.choice.status == "too_few":
        axes.set_title(f"too few cases ({row.most_contacts:,} contacts)", loc="right", color=_GREY, fontsize="medium")


def _label(axes: Any, point: Point, words: str, color: str, *, weight: str, lift: float) -> None:  # noqa: ANN401 - as above
    """Write a label next to a point, `lift` parts of the height above it."""
    _, top = axes.get_ylim()
    # The curve falls, so there is room above it on its right.
    left = point.threshold_ms <= _ROOM_BEFORE_MS
    axes.annotate(
        words,
        (point.threshold_ms, 100 * point.share),
        (point.threshold_ms * (1.2 if left else 0.85), max(0.03 * top, 100 * point.share + lift * top)),
        color=color,
        fontweight=weight,
        ha="left" if left else "right",
        arrowprops={"arrowstyle": "-", "color": color, "shrinkB": 5},
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
        zorder=6,
    )


def _bars(axes: Any, found: Tuned, points: list[Point]) -> None:  # noqa: ANN401 - as above
    widths = [0.06 * point.threshold_ms for point in points]
    a_day = [point.contacts / found.days if found.days else 0 for point in points]
    axes.bar([point.threshold_ms for point in points], a_day, widths, color=_BARS)
    axes.set_ylabel("contacts\na day")
    axes.set_ylim(bottom=0)


def _short(ms: int) -> str:
    if ms > HOUR_MS and ms % HOUR_MS == 0:
        return f"{ms // HOUR_MS} h"
    return "1 h" if ms == HOUR_MS else f"{ms / MINUTE_MS:g} min"
