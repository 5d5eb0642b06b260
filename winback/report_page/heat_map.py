"""The silences by weekday and hour, with the hours in which no person is contacted."""

from collections.abc import Iterator, Mapping, Sequence

from detectors.json_values import JsonObject
from winback.report_page import svg
from winback.report_page.elements import count, folded, paragraph, section, table, written

WEEKDAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}
_LEFT, _TOP, _ROW = 44, 22, 24
_LABELED = range(0, 24, 6)
_SHADES = 5
"""Shades of silences, from few to many."""


def heat_map(hours: JsonObject, closed: Mapping[str, Sequence[str | None]], zone: str) -> str:
    """Return the section of the silences by hour.

    Args:
        hours: Weekday and the counts of its hours.
        closed: Weekday and the reasons for which its hours are closed.
        zone: The zone of the hours.
    """
    most = max(map(max, hours.values()))
    title = "When shoppers fall silent"
    if not most:
        return section(title, paragraph("No silence was counted by hour in these days."))
    rows = [[WEEKDAYS[day], *map(count, numbers)] for day, numbers in hours.items()]
    columns = ["", *(f"{hour:02d}" for hour in range(24))]
    legend = [("h1", "few"), (f"h{_SHADES}", f"many (up to {written(most)})"), ("shut", "no contacts")]
    return section(
        title,
        svg.legend(legend),
        _chart(hours, closed, most),
        folded("Numbers by hour", table("Silences by weekday and hour", columns, rows)),
        paragraph(_explained(closed, zone), "note"),
    )


def _explained(closed: Mapping[str, Sequence[str | None]], zone: str) -> str:
    found = sorted({why for reasons in closed.values() for why in reasons if why})
    laws = [why.removeprefix("law_") for why in found if why.startswith("law_")]
    quiet = ["the quiet hours"] if len(laws) < len(found) else []
    why = " and ".join([*quiet, *(f"the law of {law}" for law in laws)])
    shut = f" No contacts: {why}, by the clock in {zone}; holidays aren't shown." if why else ""
    return f"A silence counts in the hour in which its threshold was over, in {zone}.{shut}"


def _chart(hours: JsonObject, closed: Mapping[str, Sequence[str | None]], most: int) -> str:
    marks = [mark for at, day in enumerate(hours) for mark in _row(at, day, hours[day], closed[day], most)]
    slot = (svg.WIDTH - _LEFT) / 24
    marks += [svg.text(_LEFT + slot * hour, 15, f"{hour:02d}:00", "dim") for hour in _LABELED]
    top = [(number, WEEKDAYS[day], hour) for day, numbers in hours.items() for hour, number in enumerate(numbers)]
    number, day, hour = max(top, key=lambda each: each[0])
    said = f"The most silences, {written(number)}, are on {day} from {hour:02d}:00 to {hour + 1:02d}:00."
    return svg.figure("hours", "Silences by weekday and hour", said, _TOP + _ROW * len(hours), marks)


def _row(at: int, day: str, numbers: Sequence[int], closed: Sequence[str | None], most: int) -> Iterator[str]:
    slot, y = (svg.WIDTH - _LEFT) / 24, _TOP + _ROW * at
    yield svg.text(0, y + 17, WEEKDAYS[day], "dim")
    for hour, number in enumerate(numbers):
        shade = -(-number * _SHADES // most)
        place = f'x="{_LEFT + slot * hour:.1f}" width="{slot - 2:.1f}"'
        yield f'<rect class="h{shade}" {place} y="{y}" height="{_ROW - 2}" rx="2"/>'
        if closed[hour]:
            yield f'<rect class="shut" {place} y="{y + _ROW - 7}" height="5"/>'
