"""The comparison of arms stays valid when it is read every day."""

from bisect import bisect
from datetime import UTC, date, datetime
from io import StringIO
from random import Random

import pytest
from rich.console import Console, Group

from state.daily_counters import DailyCount
from state.day_zone import UTC_DAYS
from tasks.policy.experiment import ExperimentSettings
from winback.cli.experiment_tables import experiment_tables, verdict
from winback.operations.experiment import (
    ArmResult,
    Findings,
    compare,
    days_needed,
    document,
    findings,
    half_width,
    winner_of,
)

SETTINGS = ExperimentSettings.model_validate(
    {"name": "delays", "start": date(2026, 12, 1), "arms": {"now": {}, "later": {"delay": "1d"}}}
)
FIRST = 20_788
"""The day of the start."""
NOW = datetime(2026, 12, 11, 12, tzinfo=UTC)


def arm(name: str, people: int, orders: int) -> ArmResult:
    return ArmResult(name, people, orders)


def binomial(people: int, share: float) -> list[float]:
    """Return the distribution function of the number of orders."""
    totals, total, part = [], 0.0, (1 - share) ** people
    for number in range(people + 1):
        total += part
        totals.append(total)
        part *= (people - number) / (number + 1) * share / (1 - share)
    return totals


def winners(shares: list[float], *, experiments: int, days: int, a_day: int) -> list[str]:
    """Return the first winner of each experiment, looked at daily; empty for none."""
    chance, tables = Random(1), [binomial(a_day, share) for share in shares]
    found = []
    for _ in range(experiments):
        arms = [arm(str(number), 0, 0) for number in range(len(shares))]
        winner = ""
        for _ in range(days):
            for one, table in zip(arms, tables, strict=True):
                one.people += a_day
                one.orders += bisect(table, chance.random())
            if winner := winner_of(arms, compare(arms)):
                break
        found.append(winner)
    return found


@pytest.mark.parametrize("arms", [2, 4])
@pytest.mark.parametrize(("share", "a_day"), [(0.02, 200), (0.1, 20), (0.3, 100)])
def test_daily_looks_name_a_false_winner_in_at_most_one_of_twenty(arms: int, share: float, a_day: int) -> None:
    named = winners([share] * arms, experiments=1000, days=90, a_day=a_day)
    assert sum(map(bool, named)) <= 50


def test_clear_difference_names_the_right_winner() -> None:
    named = winners([0.10, 0.16, 0.10], experiments=50, days=100, a_day=50)
    assert named.count("1") >= 48
    assert set(named) <= {"1", ""}


def test_interval_is_that_of_the_boundary() -> None:
    one, other = arm("a", 2500, 250), arm("b", 2500, 250)
    # Twice as wide as that of a single look, 1.96 standard errors.
    errors = half_width(one, other, 0.05) / (one.variance + other.variance) ** 0.5
    assert errors == pytest.approx(3.1, abs=0.1)


def test_few_people_or_orders_are_not_compared() -> None:
    assert compare([arm("a", 49, 20), arm("b", 500, 20)]) == []
    assert compare([arm("a", 500, 2), arm("b", 500, 2)]) == []
    assert len(compare([arm("a", 50, 3), arm("b", 50, 2), arm("c", 50, 0)])) == 3


def test_winner_is_better_than_every_other_arm() -> None:
    arms = [arm("a", 5000, 500), arm("b", 5000, 1000), arm("c", 5000, 980)]
    assert winner_of(arms, compare(arms)) == ""
    arms = [arm("a", 5000, 500), arm("b", 5000, 1500), arm("c", 5000, 980)]
    assert winner_of(arms, compare(arms)) == "b"
    assert winner_of(arms, []) == ""


def test_days_needed_narrow_the_intervals_to_the_difference() -> None:
    arms = [arm("a", 1000, 100), arm("b", 1000, 100)]
    days = days_needed(arms, 10, 0.03)
    assert days is not None
    widths = []
    for factor in ((10 + days) / 10, (9 + days) / 10):
        grown = arm("a", int(1000 * factor), int(100 * factor))
        widths.append(half_width(grown, grown, 0.05))
    assert widths[0] <= 0.03
    assert widths[1] > 0.03
    assert days_needed(arms, 10, 0.00001) is None
    assert days_needed([arm("a", 0, 0), arm("b", 5, 0)], 10, 0.03) is None


def counted(day: int, name: str, what: str, number: int, experiment: str = "delays") -> DailyCount:
    return DailyCount(FIRST + day, "checkout", "web", "arm", f"{experiment}.{name}.{what}", number)


def test_findings_add_up_the_days_whose_window_is_over() -> None:
    counts = [
        counted(0, "now", "people", 100),
        counted(0, "now", "orders", 9),
        counted(0, "now", "COP", 900_000),
        counted(0, "now", "unpriced", 1),
        counted(5, "later", "people", 80),
        counted(6, "later", "people", 70),  # ends on the 8th; 72 hours later it is the 11th
        counted(7, "later", "people", 60),
        counted(7, "later", "orders", 50),
        counted(0, "now", "people", 1000, "another"),
        DailyCount(FIRST, "checkout", "web", "sent", "", 77),
    ]
    found = findings(counts, SETTINGS, NOW, UTC_DAYS)
    assert found is not None
    later, now, holdout = document(found)["arms"]
    assert later == arm_data("later", people=150, conversion=0.0, waiting=60)
    assert now == arm_data("now", people=100, orders=9, unpriced=1, revenue={"COP": 9000.0}, conversion=0.09)
    assert holdout == arm_data("holdout")
    assert document(found) == {
        "name": "delays",
        "start": "2026-12-01",
        "until": "2026-12-07",
        "arms": [later, now, holdout],
        "differences": [],
        "error_rate": 0.05,
        "winner": None,
        "all_alike": False,
        "days_needed": None,
    }


def arm_data(name: str, **more: object) -> dict[str, object]:
    none = {"people": 0, "orders": 0, "unpriced": 0, "revenue": {}, "conversion": None, "waiting": 0}
    return {"name": name, **none, **more}


def test_without_an_experiment_there_are_no_findings() -> None:
    assert findings([], ExperimentSettings(), NOW, UTC_DAYS) is None


def found_with(later: int, now: int, holdout: int = 100, people: int = 1000) -> Findings:
    orders = {"later": later, "now": now, "holdout": holdout}
    counts = [counted(0, name, "people", people) for name in orders]
    counts += [counted(0, name, "orders", number) for name, number in orders.items()]
    found = findings(counts, SETTINGS, NOW, UTC_DAYS)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (found_with(300, 120), "Arm later had more orders than every other arm"),
        (found_with(120, 110), "No winner yet."),
        (found_with(3, 2, 4, people=30), "Too early: each arm needs 50 people"),
        (found_with(10_000, 10_010, 10_005, people=100_000), "No arm differs from another by 2 points or more"),
    ],
)
def test_verdict_names_no_winner_before_it_is_clear(found: Findings, line: str) -> None:
    assert next(verdict(found, 2)).startswith(line)


def test_verdict_says_how_many_days_are_missing() -> None:
    undecided = list(verdict(found_with(120, 110), 2))
    assert undecided[1].startswith("At this pace, a difference of 2 points is found after about ")
    decided = found_with(300, 120)
    assert decided.days_needed is None
    assert decided.is_decided


def test_table_fits_a_narrow_screen() -> None:
    console = Console(file=StringIO(), width=80, color_system=None)
    console.print(Group(*experiment_tables(found_with(300, 120), 2)))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "later" in text
    assert "30.0% (300)" in text
    assert "later - now" in text
    assert "+18.0" in text
    assert "…" not in text
