"""What the report makes of the counters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.flow import PLATFORMS, STAGES
from state.daily_counters import DailyCount
from tests.support.reports import BOGOTA, DAY, LATER, TALLIES, WINDOW, lines, report, shown
from winback.operations.report import EVERY, By, day_of, document, number_of


def test_days_are_dates() -> None:
    assert day_of(20_000) == date(2024, 10, 4)
    assert number_of(day_of(DAY)) == DAY


def test_rows_are_ordered_and_empty_days_left_out() -> None:
    mixed = [*reversed(TALLIES), DailyCount(DAY, "cart_review", "android", "sessions", "", 1)]
    assert [tuple(row.where) for row in report(mixed).rows] == [
        (day_of(DAY), "cart_review", "android"),
        (day_of(DAY), "checkout", "web"),
        (day_of(DAY + 1), "payment", "ios"),
        (day_of(DAY + 2), "-", "-"),
    ]


@pytest.mark.parametrize(
    ("by", "rows"),
    [((), 1), (("day",), 3), (("stage",), 3), (("platform",), 3), (("day", "platform"), 3)],
)
def test_it_divides_by_what_is_asked_for(by: tuple[By, ...], rows: int) -> None:
    found = document(report(TALLIES, by), LATER)
    assert len(found["rows"]) == rows
    assert set(by) == set(found["rows"][0]) & {"day", "stage", "platform"}


def test_as_json_it_has_everything_of_a_place() -> None:
    row = document(report(TALLIES), LATER)["rows"][0]
    comparison = row.pop("comparison")
    assert row == {
        "day": "2024-10-04",
        "stage": "checkout",
        "platform": "web",
        "sessions": 5_000,
        "silent": 1_400,
        "came_back": 170,
        "cancelled": {"came_back": 150, "paid": 20, "cart_emptied": 5},
        "contacted": 1_000,
        "suppressed": {"total": 207, "reasons": {"holdout": 200, "opted_out": 7}},
        "unreachable": 0,
        "expired": 0,
        "dead": 0,
        "unknown": 0,
        "recovered": {"orders": 150, "unpriced": 3, "revenue": {"COP": 14_999.0, "JPY": 12_000.0}},
        "control": {"orders": 20, "unpriced": 0, "revenue": {"COP": 0.99}},
    }
    assert comparison["contacted"] == {"people": 1_000, "orders": 150, "conversion": 0.15}
    assert comparison["holdout"] == {"people": 200, "orders": 20, "conversion": 0.1}
    assert comparison["difference"] == pytest.approx(0.05)
    low, high = comparison["difference_95"]
    assert low < 0.05 < high
    assert comparison["lift"] == pytest.approx(0.5)
    assert comparison["enough"] is True


def test_silences_by_hour_are_by_weekday_and_in_no_row() -> None:
    hours = [DailyCount(DAY + day, "", "", "silent_hour", "13", 5) for day in (0, 3, 6)]  # Friday, Monday, Thursday
    found = document(report([*TALLIES, *hours]), LATER)
    assert {day: [numbers[13], sum(numbers)] for day, numbers in found["silent_by_hour"].items() if any(numbers)} == {
        "mon": [5, 5],
        "thu": [5, 5],
        "fri": [5, 5],
    }
    assert found["rows"] == document(report(TALLIES), LATER)["rows"]


def test_arms_make_no_row() -> None:
    assert report([DailyCount(DAY, "checkout", "web", "arm", "delay.now.people", 3)]).rows == []


def test_earned_is_scaled_to_the_contacted_people() -> None:
    earned = document(report(TALLIES), LATER)["earned"]
    assert earned["expected_orders"] == 100
    assert earned["orders"] == pytest.approx(50)
    assert earned["expected_revenue"] == {"COP": 4.95}
    assert earned["revenue"] == {"COP": 14_994.05, "JPY": 12_000}
    low, high = earned["orders_95"]
    assert low < 50 < high


def test_nothing_is_called_earned_with_too_few_people() -> None:
    assert document(report(TALLIES[-3:]), LATER)["earned"] is None


def test_too_few_give_no_figures() -> None:
    row = document(report(TALLIES), LATER)["rows"][1]
    assert row["comparison"]["difference"] is None
    assert row["comparison"]["contacted"]["conversion"] is None
    assert row["comparison"]["enough"] is False


places = st.sampled_from([(stage, platform) for stage in STAGES for platform in PLATFORMS] + [("", "")])
names = st.sampled_from([("sent", ""), ("suppressed", "holdout"), ("silent", "idle"), ("recovered", "COP")])


@st.composite
def tallies(draw: st.DrawFn) -> DailyCount:
    (stage, platform), (name, detail) = draw(places), draw(names)
    return DailyCount(draw(st.integers(DAY, DAY + 6)), stage, platform, name, detail, draw(st.integers(1, 10**15)))


@given(st.lists(tallies(), max_size=30), st.sets(st.sampled_from(EVERY)))
def test_the_rows_add_up_to_the_total_however_it_is_divided(made: list[DailyCount], by: set[By]) -> None:
    found = report(made, tuple(part for part in EVERY if part in by))
    assert sum(row.silent for row in found.rows) == found.total.silent
    for outcome in ("sent", "suppressed"):
        assert sum(row.ended(outcome) for row in found.rows) == found.total.ended(outcome)
    assert sum(row.recovered["COP"] for row in found.rows) == found.total.recovered["COP"]
    assert len({row.where for row in found.rows}) == len(found.rows)


# For people


def test_report_groups_by_day_within_a_hundred_columns() -> None:
    text = shown(report(TALLIES))
    rows = lines(text)
    assert max(map(len, text.splitlines())) <= 100
    place = rows.index(["2024-10-04"])
    assert " ".join(rows[place + 1]) == "checkout web 5,000 1,400 170 1,000 207 5 150 14,999.00 COP"
    assert rows[place + 2] == ["12,000", "JPY"]
    assert "total 5,000 1,403 170 1,000 207 9 150 14,999.00 COP" in map(" ".join, rows)
    assert "2024-10-07" not in text


def test_other_and_suppressed_are_explained() -> None:
    text = " ".join(shown(report(TALLIES)).split())
    assert "checkout web holdout 200, opted_out 7" in text
    assert "2 unreachable (name, phone or country missing), 1 expired, 1 unknown (neither contacted" in text
    assert "5 cancelled otherwise than by coming back or paying" in text
    assert "without a value, so not in the revenue: 3 of the orders" in text


def test_lift_is_shown_with_interval_and_method() -> None:
    text = " ".join(shown(report(TALLIES)).split())
    assert "15.0% of 1,000 10.0% of 200 +5.0 pp (-0.4 to +9.2) +50 % (-4 to +133)" in text
    assert "Newcombe" in text
    assert "Katz" in text


def test_report_breaks_no_table_at_eighty_columns() -> None:
    wide = [DailyCount(DAY, "product_selection", "android", "silent", "idle", 1_234_567), *TALLIES]
    text = shown(report(wide), width=80)

    assert max(map(len, text.splitlines())) <= 80
    assert "product_selection android" in text
    assert "…" not in text
    assert "checkout web 150 14,999.00 COP" in map(" ".join, lines(text))
    assert "checkout web +5.0 pp (-0.4 to +9.2) +50 % (-4 to +133)" in map(" ".join, lines(text))


def test_narrow_report_without_orders_has_one_table() -> None:
    some = [DailyCount(DAY, "product_selection", "android", "sessions", "", 3)]
    assert shown(report(some), width=80).count("day stage platform") == 1
    assert shown(report(TALLIES), width=80).count("day stage platform") > 1


def test_report_says_where_sessions_and_silences_are_counted() -> None:
    assert "Sessions are counted where they started, silences" in shown(report(TALLIES))
    assert "Sessions are counted where they started" not in shown(report(TALLIES, ("day",)))


def test_report_names_the_zone_of_its_days() -> None:
    assert "(days in UTC)" in shown(report(TALLIES))
    assert "(days in America/Bogota)" in shown(replace(report(TALLIES), zone=BOGOTA), zone="America/Bogota")
    assert document(replace(report(TALLIES), zone=BOGOTA), LATER)["time_zone"] == "America/Bogota"


def test_zone_that_the_sweep_lacks_is_reported_with_a_hint() -> None:
    assert "For days in America/Bogota: restart the sweep with that report.time_zone" in " ".join(
        shown(report(TALLIES), zone="America/Bogota").split()
    )


def test_orders_are_open_until_the_window_after_local_midnight() -> None:
    ends = datetime(2024, 10, 11, tzinfo=UTC) + WINDOW
    bogota = replace(report(TALLIES), zone=BOGOTA)

    assert document(bogota, ends + timedelta(hours=4, minutes=59))["window_open"]
    assert not document(bogota, ends + timedelta(hours=5))["window_open"]


def test_too_few_people_are_reported() -> None:
    few = [
        DailyCount(DAY, "checkout", "web", "sent", "", 30),
        DailyCount(DAY, "checkout", "web", "suppressed", "holdout", 3),
    ]
    assert "total 0.0% of 30 0.0% of 3 too few to tell too few to tell" in map(" ".join, lines(shown(report(few))))


def test_without_a_holdout_there_is_nothing_to_compare_with() -> None:
    text = shown(report([DailyCount(DAY, "checkout", "web", "sent", "", 3_000)]))
    assert "Without a holdout (contact.holdout)" in text
    assert "lift" not in text
    assert "No person was contacted." in shown(report([DailyCount(DAY, "checkout", "web", "sessions", "", 3)]))


def test_empty_report_is_reported() -> None:
    assert shown(report([])).strip() == "2024-10-04 to 2024-10-10 (days in UTC): nothing happened"


@pytest.mark.parametrize(("days_later", "is_open"), [(6, True), (9, True), (10, False)])
def test_incomplete_days_are_reported(days_later: int, is_open: bool) -> None:  # noqa: FBT001 - a case
    now = datetime(2024, 10, 4, 12, tzinfo=UTC) + timedelta(days=days_later)
    assert ("can still come in" in shown(report(TALLIES), now)) == is_open
    assert document(report(TALLIES), now)["window_open"] == is_open


def test_undivided_report_is_only_the_total() -> None:
    rows = list(_totals(shown(report(TALLIES, ()))))
    assert len(rows) == 3
    assert "checkout" not in shown(report(TALLIES, ()))


def _totals(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.startswith("total"))
