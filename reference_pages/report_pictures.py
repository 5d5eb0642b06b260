"""Draw the pictures of `winback report --html` with Chromium: on a wide light screen and on a dark phone."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from detectors.flow import STAGES
from state.daily_counters import DailyCount
from state.day_zone import DayZone
from tasks.policy.settings import ContactSettings
from winback.operations.contact_windows import closed_hours
from winback.operations.report import By, day_of, document, make
from winback.operations.report_summary import summary
from winback.report_page.page import page

ZONE: Final = DayZone("America/Bogota", -5 * 3_600_000)
FIRST: Final = 20_758
DAYS: Final = 30
WINDOW: Final = timedelta(hours=72)
WIDE: Final = (1280, 1160)
PHONE: Final = (390, 900)
PRICE: Final = 18_900_000
PARTS: Final = {"cancelled.came_back": 9, "cancelled.paid": 40, "sent": 3, "suppressed.holdout": 28, "unreachable": 7}
REASONS: Final = {"suppressed.no_consent": 15, "suppressed.bought_recently": 30, "suppressed.opted_out": 45}
_WEEKEND: Final = (5, 6)


def draw(folder: Path) -> None:
    """Write `report.png` and `report-phone.png`; nothing without Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return
    with TemporaryDirectory() as directory:
        (Path(directory) / "report.html").write_text(_page(), encoding="utf-8")
        _picture(chromium, Path(directory), folder / "report.png", WIDE, "light")
        _picture(chromium, Path(directory), folder / "report-phone.png", PHONE, "dark")


def _picture(chromium: str, work: Path, to: Path, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    # A window can't be as narrow as a phone; a frame can.
    frame = f'<iframe src="report.html" style="border:0;width:{width}px;height:{height}px"></iframe>'
    text = f'<html style="color-scheme:{scheme}"><body style="margin:0">{frame}</body></html>'
    (work / "frame.html").write_text(text, encoding="utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    # 0: dark, 1: light.
    command += [f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"]
    command += [f"--window-size={width},{height}", f"--screenshot={to}", (work / "frame.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own command


def _page() -> str:
    counts = [*_counts(Random(1))]  # noqa: S311 - no secret

    def of(*by: By) -> dict[str, object]:
        made = make(counts, day_of(FIRST), day_of(FIRST + DAYS - 1), by, WINDOW)
        return document(replace(made, zone=ZONE), datetime(2100, 1, 1, tzinfo=UTC))

    total = make(counts, day_of(FIRST), day_of(FIRST + DAYS - 1), (), WINDOW)
    return page(of("day"), of("stage"), list(summary(total)), closed_hours(ContactSettings(), ZONE.name))


def _counts(random: Random) -> Iterator[DailyCount]:
    """Yield the counters of an invented shop."""
    for day in range(FIRST, FIRST + DAYS):
        busy = 0.7 if day_of(day).weekday() in _WEEKEND else 1
        for hour in range(24):
            usual = max(0, (hour - 5) * (26 - hour)) * busy
            yield DailyCount(day, "", "", "silent_hour", f"{hour:02d}", int(usual * random.uniform(0.8, 1.2)))
        for stage, size in zip(STAGES, (1000, 600, 400, 200), strict=True):
            silent = int(random.gauss(size, size / 10) * busy)
            sent, held_out = silent // 3, silent // 28
            orders, control = sent // 8, held_out // 12
            found = {name: silent // part for name, part in {**PARTS, **REASONS}.items()}
            found |= {"sessions": 2 * silent, "silent.idle": silent, "recovered.orders": orders}
            found |= {"recovered.COP": orders * PRICE, "control.orders": control, "control.COP": control * PRICE}
            for name, number in found.items():
                what, _, detail = name.partition(".")
                yield DailyCount(day, stage, "web", what, detail, number)
