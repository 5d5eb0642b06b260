"""The page as a whole. It needs no other file: its styles are inside, and its policy forbids every request."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from detectors.json_values import JsonObject
from winback.report_page import arms, curves, days, heat_map, totals
from winback.report_page.elements import paragraph

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(
    by_day: JsonObject,
    by_stage: JsonObject,
    summary: list[str],
    closed: Mapping[str, Sequence[str | None]],
    tuned: JsonObject | None = None,
) -> str:
    """Return the report as HTML.

    Args:
        by_day: The JSON document of the report, by day only.
        by_stage: The same, by stage only.
        summary: Plain sentences on the totals.
        closed: Weekday and the reasons for which its hours are closed for contacts.
        tuned: The JSON document of `winback tune`, if there is one.
    """
    since, until = by_day["since"], by_day["until"]
    period = since if since == until else f"{since} to {until}"
    parts = [_head(period), f"<h1>Winback report</h1>\n<p class='period'>{escape(period)}</p>\n"]
    if by_day["rows"]:
        parts += [paragraph(" ".join(summary), "key"), '<div class="cards">\n']
        parts += [totals.funnel(by_stage), totals.recovered(by_day)]
        parts += [days.outcomes(by_day), totals.reasons(by_day["total"])]
        parts += [heat_map.heat_map(by_day["silent_by_hour"], closed, by_day["time_zone"]), "</div>\n"]
    else:
        parts.append(paragraph("Nothing happened in these days.", "key"))
    if tuned is not None:
        parts.append(curves.curves(tuned))
    if by_day["experiment"] is not None:
        parts.append(arms.experiment(by_day["experiment"]))
    return "".join([*parts, "</main>\n</body>\n</html>\n"])


def _head(period: str) -> str:
    style = (files(__package__) / "page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Winback report, {escape(period)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
    )
