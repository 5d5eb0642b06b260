"""The outcomes of each day, stacked."""

from collections.abc import Sequence
from datetime import date, timedelta

from detectors.json_values import JsonObject
from winback.report_page import svg
from winback.report_page.elements import count, folded, paragraph, section, table, written

PARTS = (
    ("a", "contacted", "contacted"),
    ("b", "came_back", "came back or paid by themselves"),
    ("c", "suppressed", "not contacted, for a reason"),
    ("d", "other", "other outcomes"),
)
_OTHERS = ("unreachable", "expired", "dead", "unknown")
_LEFT, _TOP, _HIGH = 52, 10, 200
_MOST_LABELS = 5
_THIN = 5


def outcomes(report: JsonObject) -> str:
    """Return the section of a report by day."""
    rows: list[JsonObject] = report["rows"]
    if not rows:
        return section("Outcomes by day", paragraph("No outcome in these days."))
    chart = _chart({row["day"]: parts_of(row) for row in rows}, _days(report))
    columns = ("Day", "Sessions", "Silent", "Contacted", "Came back", "Not contacted", "Other", "Orders")
    cells = [[row["day"], *map(count, _numbers(row))] for row in rows]
    zone = f"Days are those of {report['time_zone']}. Days without activity are left out of the table."
    return section(
        "Outcomes by day",
        svg.legend((color, words) for color, _, words in PARTS),
        chart,
        folded("Numbers by day", table("Outcomes by day", columns, cells)),
        paragraph(zone, "note"),
    )


def parts_of(row: JsonObject) -> dict[str, int]:
    """Return the outcomes of a row in the four groups of the chart."""
    cancelled = sum(row["cancelled"].values()) - row["came_back"]
    return {
        "contacted": row["contacted"],
        "came_back": row["came_back"],
        "suppressed": row["suppressed"]["total"],
        "other": sum(row[name] for name in _OTHERS) + cancelled,
    }


def _numbers(row: JsonObject) -> list[int]:
    return [row["sessions"], row["silent"], *parts_of(row).values(), row["recovered"]["orders"]]


def _days(report: JsonObject) -> list[str]:
    first, last = date.fromisoformat(report["since"]), date.fromisoformat(report["until"])
    return [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def _chart(found: dict[str, dict[str, int]], days: Sequence[str]) -> str:
    scale = svg.axis(max(sum(parts.values()) for parts in found.values()))
    slot = (svg.WIDTH - _LEFT) / len(days)
    # Gaps between thin bars would flicker.
    bar = slot if slot < _THIN else min(slot * 0.8, 48)
    marks = [mark for step in scale.steps for mark in _line(step, scale)]
    for at, day in enumerate(days):
        x, bottom = _LEFT + slot * at + (slot - bar) / 2, float(_TOP + _HIGH)
        for color, name, _ in PARTS:
            height = found.get(day, {}).get(name, 0) / scale.top * _HIGH
            bottom -= height
            if height:
                marks.append(
                    f'<rect class="{color}" x="{x:.1f}" y="{bottom:.1f}" width="{bar:.1f}" height="{height:.1f}"/>'
                )
    marks += _labels(days, slot)
    totals = {name: sum(parts[name] for parts in found.values()) for _, name, _ in PARTS}
    said = "; ".join(f"{words}: {written(totals[name])}" for _, name, words in PARTS)
    title = f"Outcomes by day, {days[0]} to {days[-1]}"
    return svg.figure("days", title, said, _TOP + _HIGH + 28, marks)


def _line(step: float, scale: svg.Axis) -> list[str]:
    y = _TOP + _HIGH * (1 - step / scale.top)
    return [
        f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{svg.WIDTH}" y2="{y:.1f}"/>',
        svg.text(_LEFT - 6, y + 5, short(step), "end dim"),
    ]


def short(number: float) -> str:
    """Return a number for an axis: 1,500 or 2.5M."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**4, "k")):
        if number >= size:
            return f"{number / (1000 if letter == 'k' else size):g}{letter}"
    return written(number)


def _labels(days: Sequence[str], slot: float) -> list[str]:
    number = min(len(days), _MOST_LABELS)
    places = sorted({round(at * (len(days) - 1) / max(1, number - 1)) for at in range(number)})
    labels = []
    for place in places:
        day = date.fromisoformat(days[place])
        words = f"{day.day} {day:%b}"
        half = svg.width_of(words) / 2
        x = min(max(_LEFT + slot * (place + 0.5), _LEFT + half), svg.WIDTH - half)
        labels.append(svg.text(x, _TOP + _HIGH + 20, words, "middle dim"))
    return labels
