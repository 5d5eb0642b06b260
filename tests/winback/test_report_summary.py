"""The first lines of the report, in plain sentences."""

import pytest

from state.daily_counters import DailyCount
from tests.support.reports import DAY, TALLIES, report, shown


def test_first_lines_are_plain_sentences() -> None:
    text = shown(report(TALLIES)).splitlines()

    assert text[1].strip() == "5,000 sessions started, and 1,403 fell silent."
    assert text[2].strip() == "1,000 people were contacted; 150 ordered within 3 days."
    assert text[3].strip() == (
        "15.0% of the contacted and 10.0% of the holdout ordered: the contacts made no clear difference."
    )
    assert not any(word in "\n".join(text[:5]) for word in ("95", "pp", "lift", "Newcombe"))


@pytest.mark.parametrize(
    ("orders", "held_out_orders", "verdict"),
    [(300, 20, "helped"), (40, 60, "were followed by fewer orders"), (150, 20, "made no clear difference")],
)
def test_summary_says_whether_the_contacts_helped(orders: int, held_out_orders: int, verdict: str) -> None:
    found = [
        DailyCount(DAY, "checkout", "web", "sent", "", 1_000),
        DailyCount(DAY, "checkout", "web", "recovered", "orders", orders),
        DailyCount(DAY, "checkout", "web", "suppressed", "holdout", 200),
        DailyCount(DAY, "checkout", "web", "control", "orders", held_out_orders),
    ]
    assert shown(report(found)).splitlines()[3].strip().endswith(f"the contacts {verdict}.")
