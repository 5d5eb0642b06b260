"""The report's page: its numbers are those of the JSON document, and it needs no other file."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from state.daily_counters import DailyCount
from state.day_zone import DayZone
from tasks.policy.settings import ContactSettings
from tests.support.html_page import Page
from tests.support.reports import EXPERIMENT
from winback.operations.contact_windows import closed_hours
from winback.operations.report import By, day_of, document, make
from winback.operations.report_summary import summary
from winback.report_page.page import page

DAY = 20_000
NOW = datetime(2100, 1, 1, tzinfo=UTC)
BOGOTA = DayZone("America/Bogota", -5 * 3_600_000)
Document = dict[str, Any]


def counted(days: int, *, scale: int = 1) -> list[DailyCount]:
    """Make counters of some days, at two stages."""
    found = []
    for day in range(DAY, DAY + days):
        for stage, size in (("checkout", 100 * scale), ("payment", 40 * scale)):
            numbers = {
                "sessions": 3 * size,
                "silent.idle": 2 * size,
                "cancelled.came_back": size // 5,
                "cancelled.cart_emptied": 3,
                "sent": size,
                "suppressed.holdout": size,
                "suppressed.opted_out": 7,
                "unreachable": size // 4,
                "dead.http_422": 1,
                "recovered.orders": size // 4,
                "recovered.COP": 1_499_950 * size,
                "recovered.JPY": 12_001,
                "recovered.unpriced": 2,
                "control.orders": size // 10,
                "control.COP": 499_900 * size,
            }
            for name, number in numbers.items():
                what, _, detail = name.partition(".")
                found.append(DailyCount(day, stage, "web", what, detail, number))
        found += [DailyCount(day, "", "", "silent_hour", f"{hour:02d}", hour * scale) for hour in range(24)]
    return found


def documents(counts: list[DailyCount], days: int, experiment: Document | None = None) -> tuple[Document, Document]:
    def of(by: By) -> Document:
        made = make(counts, day_of(DAY), day_of(DAY + days - 1), (by,), timedelta(hours=72))
        return document(replace(made, zone=BOGOTA), NOW, experiment)

    return of("day"), of("stage")


def shown(
    counts: list[DailyCount], days: int = 1, experiment: Document | None = None, tuned: Document | None = None
) -> str:
    made = make(counts, day_of(DAY), day_of(DAY + days - 1), (), timedelta(hours=72))
    closed = closed_hours(ContactSettings(), "America/Bogota")
    return page(*documents(counts, days, experiment), list(summary(made)), closed, tuned)


def point(seconds: int, part: float | None) -> Document:
    low, high = (None, None) if part is None else (part * 0.9, part * 1.1)
    return {"threshold_seconds": seconds, "contacts": 100, "share": part, "low": low, "high": high}


def stage(name: str, curve: list[Document], best: int | None = None) -> Document:
    found = {"stage": name, "platform": None, "threshold_seconds": best, "share": 0.08 if best else None}
    return found | {"current": {"threshold_seconds": 900, "share": 0.09 if curve else None}, "curve": curve}


TUNED: Document = {
    "asked": {"outcome": "return", "target": 0.1, "horizon_seconds": 3600},
    "stages": [
        stage("checkout", [point(120, 0.3), point(900, 0.09), point(1800, None), point(3600, 0.05)], 1200),
        stage("payment", [point(120, 0.0)]),
        stage("cart_review", []),
    ],
}


@pytest.mark.parametrize("days", [1, 30, 365])
def test_numbers_by_day_equal_the_json_document(days: int) -> None:
    by_day, _ = documents(counted(days), days)
    found = Page(shown(counted(days), days)).tables["Outcomes by day"]
    assert len(found) == days
    for cells, row in zip(found, by_day["rows"], strict=True):
        assert cells[:4] == [row["sessions"], row["silent"], row["contacted"], row["came_back"]]
        assert cells[4] == row["suppressed"]["total"]
        assert cells[5] == row["unreachable"] + row["dead"] + row["cancelled"]["cart_emptied"]
        assert cells[6] == row["recovered"]["orders"]


def test_numbers_by_stage_equal_the_json_document() -> None:
    _, by_stage = documents(counted(2), 2)
    found = Page(shown(counted(2), 2)).tables["From sessions to orders, by stage"]
    rows = [*by_stage["rows"], by_stage["total"]]
    assert found == [
        [row["sessions"], row["silent"], row["came_back"], row["contacted"], row["recovered"]["orders"]] for row in rows
    ]


def test_reasons_equal_the_json_document() -> None:
    total = documents(counted(1), 1)[0]["total"]
    found = [row[0] for row in Page(shown(counted(1))).tables["Reasons"]]
    wanted = [
        *total["cancelled"].values(),
        *total["suppressed"]["reasons"].values(),
        total["unreachable"],
        total["dead"],
    ]
    assert found == sorted(wanted, reverse=True)


def test_money_and_groups_equal_the_json_document() -> None:
    report = documents(counted(9), 9)[0]
    tables, total, earned = Page(shown(counted(9), 9)).tables, report["total"], report["earned"]
    assert tables["Recovered orders and revenue"] == [
        [total["recovered"]["orders"], earned["expected_orders"], earned["orders"]],
        [total["recovered"]["revenue"]["COP"], earned["expected_revenue"]["COP"], earned["revenue"]["COP"]],
        [total["recovered"]["revenue"]["JPY"], 0, earned["revenue"]["JPY"]],
    ]
    groups = total["comparison"]
    assert tables["Contacted people and the holdout"] == [
        [groups[name]["people"], groups[name]["orders"], groups[name]["conversion"]]
        for name in ("contacted", "holdout")
    ]


def test_silences_by_hour_equal_the_json_document() -> None:
    report = documents(counted(3), 3)[0]
    found = Page(shown(counted(3), 3))
    assert found.tables["Silences by weekday and hour"] == [*report["silent_by_hour"].values()]
    assert "the quiet hours and the law of CO, by the clock in America/Bogota" in found.text


def test_without_counts_by_hour_there_is_no_heat_map() -> None:
    found = Page(shown([each for each in counted(1) if each.name != "silent_hour"]))
    assert "No silence was counted by hour in these days." in found.text


def test_arms_equal_the_json_document() -> None:
    tables = Page(shown(counted(1), experiment=EXPERIMENT)).tables
    assert tables["Arms of the experiment"] == [[2311, 190, 190 / 2311, 35_910_000.5, 120], [0, 0, 3]]
    assert tables["Differences of the arms"] == [[0.0187, -0.005, 0.042]]


def test_curves_equal_the_results_of_tune() -> None:
    tables = Page(shown(counted(1), tuned=TUNED)).tables
    judged = [each for each in TUNED["stages"][0]["curve"] if each["share"] is not None]
    assert tables["Checkout: share by threshold"] == [
        [each["share"], each["low"], each["high"], each["contacts"]] for each in judged
    ]
    assert tables["Payment: share by threshold"] == [[0.0, 0.0, 0.0, 100]]
    assert "Cart: share by threshold" not in tables


def test_page_requests_nothing_and_runs_no_script() -> None:
    text = shown(counted(3), 3, EXPERIMENT, TUNED)
    found = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "a"} & {tag for tag, _ in found.tags}
    assert not {"src", "href", "srcset", "style", "action"} & {
        name for _, attributes in found.tags for name in attributes
    }
    assert re.findall(r"https?:|//|url\(|@import", text) == []


def test_each_chart_has_title_description_and_unique_ids() -> None:
    found = Page(shown(counted(3), 3, EXPERIMENT, TUNED))
    charts = [attributes for tag, attributes in found.tags if tag == "svg"]
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(charts) == 6
    assert len(set(ids)) == len(ids)
    assert all(chart["role"] == "img" for chart in charts)
    assert {name for chart in charts for name in (chart["aria-labelledby"] or "").split()} == set(ids)


def test_marks_stay_within_their_charts() -> None:
    found = Page(shown(counted(365), 365, tuned=TUNED))
    for tag, attributes in found.tags:
        if tag == "rect":
            x, width = (float(attributes[name] or "") for name in ("x", "width"))
            assert 0 <= x <= x + width <= 480.1
            assert float(attributes["y"] or "") >= 0
        if tag == "circle":
            assert 46 <= float(attributes["cx"] or "") <= 480


def test_names_and_reasons_are_escaped() -> None:
    counts = [*counted(1), DailyCount(DAY, "<i>", "web", "suppressed", "<script>alert(1)</script>", 5)]
    tuned = TUNED | {"stages": [stage("<u>", [point(120, 0.3)])]}
    text = shown(counts, experiment=EXPERIMENT, tuned=tuned)
    assert not {"script", "i", "u", "b"} & {tag for tag, _ in Page(text).tags}
    assert "now &amp; then" in text


def test_empty_report_says_so_and_draws_nothing() -> None:
    found = Page(shown([]))
    assert "Nothing happened in these days." in found.text
    assert found.headings == []
    assert found.tables == {}


def test_without_a_holdout_nothing_is_called_earned() -> None:
    counts = [each for each in counted(1) if each.name != "control" and each.detail != "holdout"]
    found = Page(shown(counts))
    assert found.tables["Recovered orders and revenue"][0] == [35]
    assert "set contact.holdout = 10" in found.text
    assert "Difference" not in found.text


def test_zone_of_the_days_is_named() -> None:
    assert "Days are those of America/Bogota." in Page(shown(counted(1))).text


def test_only_sessions_give_a_page_without_outcomes() -> None:
    found = Page(shown([DailyCount(DAY, "checkout", "web", "sessions", "", 1)]))
    assert found.tables["Outcomes by day"] == [[1, 0, 0, 0, 0, 0, 0]]
    assert "No person was contacted." in found.text


def test_huge_counts_are_written_whole() -> None:
    found = Page(shown(counted(1, scale=10**9)))
    assert found.tables["Outcomes by day"][0][0] == 420 * 10**9
    assert "420,000,000,000" in found.text
