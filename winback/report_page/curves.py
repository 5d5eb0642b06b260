"""Threshold curves: of the people contacted after a silence, the share who would have returned by themselves."""

from collections.abc import Sequence
from html import escape
from math import log10

from detectors.json_values import JsonObject
from winback.report_page import svg
from winback.report_page.elements import UNKNOWN, count, folded, paragraph, section, share, table
from winback.report_page.totals import STAGES

_PLATFORMS = {"web": "Web", "ios": "iOS", "android": "Android"}
_LEFT, _TOP, _HIGH, _RIGHT = 46, 14, 190, 10
_TICKS = ((120, "2 min"), (300, "5"), (900, "15"), (1800, "30"), (3600, "1 h"), (7200, "2 h"), (21_600, "6 h"))
_HEADROOM = 1.15
_NONE = "No curve: there are too few cases, or the people in the recording were contacted."
_PERCENT = 100


def curves(tuned: JsonObject) -> str:
    """Return the section of `winback tune`'s results."""
    asked = tuned["asked"]
    did = "returned" if asked["outcome"] == "return" else "ordered"
    words = (
        f"Of 100 people contacted after a silence, those who would have {did} by themselves within "
        f"{duration(asked['horizon_seconds'])}. The target is at most {_PERCENT * asked['target']:g}."
    )
    parts = [_stage(at, row, asked["target"]) for at, row in enumerate(_shown(tuned["stages"]))]
    legend = [("line", "share, with its 95 % interval"), ("now", "today's threshold"), ("best", "recommended")]
    return section(
        "How long to wait", paragraph(words), svg.legend(legend), '<div class="cards">\n', *parts, "</div>\n"
    )


def _shown(rows: Sequence[JsonObject]) -> list[JsonObject]:
    return [row for row in rows if row["platform"] is None or row["threshold_seconds"] is not None]


def _stage(at: int, row: JsonObject, target: float) -> str:
    name: str = STAGES.get(row["stage"], "Unknown")
    name += f", {_PLATFORMS.get(row['platform'], 'other')}" if row["platform"] else ""
    judged = [point for point in row["curve"] if point["share"] is not None]
    head = f"<div>\n<h3>{escape(name)}</h3>\n{_answer(row)}"
    if not judged:
        return f"{head}{paragraph(_NONE)}</div>\n"
    cells = [
        [
            duration(point["threshold_seconds"]),
            *map(share, (point["share"], point["low"], point["high"])),
            count(point["contacts"]),
        ]
        for point in judged
    ]
    columns = ("Threshold", "Share", "At least", "At most", "Contacts")
    numbers = folded("Numbers of the curve", table(f"{name}: share by threshold", columns, cells))
    return f"{head}{_chart(f'curve{at}', name, row, judged, target)}{numbers}</div>\n"


def _answer(row: JsonObject) -> str:
    now, best = row["current"], row["threshold_seconds"]
    today = duration(now["threshold_seconds"])
    today += f", {share(now['share'])}" if now["share"] is not None else ""
    advice = UNKNOWN if best is None else f"{duration(best)}, {share(row['share'])}"
    return f"<p>Today: {today}. Recommended: {advice}.</p>\n"


def _chart(name: str, title: str, row: JsonObject, judged: Sequence[JsonObject], target: float) -> str:
    most = max(target, *(point["high"] for point in judged)) * _PERCENT * _HEADROOM
    scale = svg.axis(most, whole=most > 4)  # noqa: PLR2004 - one line for each percent
    low, high = (log10(end) for end in (judged[0]["threshold_seconds"], judged[-1]["threshold_seconds"]))

    def x(seconds: float) -> float:
        part = (log10(seconds) - low) / (high - low) if high > low else 0.5
        return round(_LEFT + min(max(part, 0), 1) * (svg.WIDTH - _LEFT - _RIGHT), 1)

    def y(part: float) -> float:
        return round(_TOP + _HIGH * (1 - min(part * _PERCENT / scale.top, 1)), 1)

    def at(points: Sequence[JsonObject], which: str) -> list[str]:
        return [f"{x(point['threshold_seconds'])},{y(point[which])}" for point in points]

    marks = [mark for step in scale.steps for mark in _line(step, y(step / _PERCENT))]
    band = " ".join(at(judged, "high") + at(judged[::-1], "low"))
    marks += [
        f'<polygon class="band" points="{band}"/>',
        f'<polyline class="line" points="{" ".join(at(judged, "share"))}"/>',
        f'<line class="target" x1="{_LEFT}" y1="{y(target)}" x2="{svg.WIDTH}" y2="{y(target)}"/>',
        svg.text(svg.WIDTH, y(target) - 5, f"target {_PERCENT * target:g} %", "end warn"),
    ]
    for kind, place in (("now", row["current"]), ("best", row)):
        if place["threshold_seconds"] is not None and place["share"] is not None:
            marks.append(
                f'<circle class="{kind}" cx="{x(place["threshold_seconds"])}" cy="{y(place["share"])}" r="6"/>'
            )
    first, last = 10**low * 0.99, 10**high * 1.01
    marks += [
        svg.text(x(each), _TOP + _HIGH + 20, words, f"{_anchor(x(each))} dim")
        for each, words in _TICKS
        if first <= each <= last
    ]
    said = f"From {_percent(judged[0])} at {duration(judged[0]['threshold_seconds'])} of silence to "
    said += f"{_percent(judged[-1])} at {duration(judged[-1]['threshold_seconds'])}."
    return svg.figure(name, f"{title}: share who would have returned, by threshold", said, _TOP + _HIGH + 28, marks)


def _anchor(x: float) -> str:
    return "middle" if _LEFT + 15 < x < svg.WIDTH - 25 else "start" if x < svg.WIDTH / 2 else "end"


def _percent(point: JsonObject) -> str:
    return f"{_PERCENT * point['share']:.1f} %"


def _line(step: float, y: float) -> list[str]:
    return [
        f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{svg.WIDTH}" y2="{y}"/>',
        svg.text(_LEFT - 6, y + 5, f"{step:g} %", "end dim"),
    ]


def duration(seconds: float) -> str:
    """Return a time as people read it: 90 s, 5 minutes, 2 hours."""
    for size, one in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"{number} {one}" if number == 1 else f"{number} {one}s"
    return f"{seconds:g} s"
