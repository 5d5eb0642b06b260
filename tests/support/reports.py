"""Reports on a few days, and what is shown of them."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from rich.console import Console

from state.daily_counters import DailyCount
from state.day_zone import DayZone
from winback.cli.report_tables import tables
from winback.operations.report import EVERY, By, Report, day_of, make

DAY = 20_000
WINDOW = timedelta(hours=72)
BOGOTA = DayZone("America/Bogota", -5 * 3_600_000)
LATER = datetime(2100, 1, 1, tzinfo=UTC)

TALLIES = [
    DailyCount(DAY, "checkout", "web", "sessions", "", 5_000),
    DailyCount(DAY, "checkout", "web", "silent", "idle", 1_300),
    DailyCount(DAY, "checkout", "web", "silent", "exit", 100),
    DailyCount(DAY, "checkout", "web", "cancelled", "came_back", 150),
    DailyCount(DAY, "checkout", "web", "cancelled", "paid", 20),
    DailyCount(DAY, "checkout", "web", "cancelled", "cart_emptied", 5),
    DailyCount(DAY, "checkout", "web", "sent", "", 1_000),
    DailyCount(DAY, "checkout", "web", "suppressed", "holdout", 200),
    DailyCount(DAY, "checkout", "web", "suppressed", "opted_out", 7),
    DailyCount(DAY, "checkout", "web", "recovered", "orders", 150),
    DailyCount(DAY, "checkout", "web", "recovered", "COP", 1_499_900),
    DailyCount(DAY, "checkout", "web", "recovered", "JPY", 12_000),
    DailyCount(DAY, "checkout", "web", "recovered", "unpriced", 3),
    DailyCount(DAY, "checkout", "web", "control", "orders", 20),
    DailyCount(DAY, "checkout", "web", "control", "COP", 99),
    DailyCount(DAY + 1, "payment", "ios", "silent", "idle", 3),
    DailyCount(DAY + 1, "payment", "ios", "unreachable", "", 2),
    DailyCount(DAY + 1, "payment", "ios", "unknown", "read_timeout", 1),
    DailyCount(DAY + 2, "", "", "expired", "outreach_gone", 1),
]


def report(tallies: list[DailyCount], by: tuple[By, ...] = EVERY) -> Report:
    return make(tallies, day_of(DAY), day_of(DAY + 6), by, WINDOW)


def shown(found: Report, now: datetime = LATER, width: int = 100, zone: str = "UTC") -> str:
    console = Console(file=StringIO(), width=width, highlight=False, color_system=None)
    console.print(tables(found, now, zone))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


EXPERIMENT: dict[str, Any] = {
    "name": "delay <b>",
    "start": "2026-05-01",
    "until": None,
    "arms": [
        {
            "name": "now & then",
            "people": 2311,
            "orders": 190,
            "unpriced": 0,
            "revenue": {"COP": 35_910_000.5},
            "conversion": 190 / 2311,
            "waiting": 120,
        },
        {
            "name": "holdout",
            "people": 0,
            "orders": 0,
            "unpriced": 0,
            "revenue": {},
            "conversion": None,
            "waiting": 3,
        },
    ],
    "differences": [{"arm": "now & then", "other": "holdout", "difference": 0.0187, "interval": [-0.005, 0.042]}],
    "winner": None,
    "all_alike": False,
    "days_needed": 21,
}
