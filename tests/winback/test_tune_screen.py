"""The screen of `winback tune`."""

import re
from pathlib import Path

from tests.support.recordings import Line, ordered, recorded, seen, winback

DAYS = 28


def test_settings_and_back_test_read_well(tmp_path: Path) -> None:
    lines: list[Line] = []
    for number in range(2 * DAYS * 24):
        minute = number * 60 - DAYS * 1440
        lines += [seen(f"s{number}", minute), ordered(f"s{number}", minute + number * 7 % 3001)]
    file = recorded(tmp_path / "events.jsonl", lines, ends=DAYS * 1440 + 3001)
    shown = winback("tune", file, "--shadow", "--target", "50%").out
    block = shown.partition("Settings to paste")[2].splitlines()[1:]
    assert block[0] == "  [detection.idle]"
    assert all(line == line.rstrip() for line in block)
    assert re.search(r"Back-test: chosen on the first \d+ days( \(\d+ minutes\))?, kept in the last \d+ days: ", shown)
