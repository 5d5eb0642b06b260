"""Recordings with files in another order, and with events that don't count: what is left out is said."""

import json
from pathlib import Path

import pytest

from tests.support.recordings import recorded, seen, winback
from tests.winback.test_tune_messy import many, tuned


def test_files_are_read_by_their_first_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winback.tuning.events.WINDOW", 20)
    monkeypatch.setattr("winback.tuning.events._STEP", 10)
    whole = Path(recorded(tmp_path / "events.jsonl", many()))
    lines = whole.read_bytes().splitlines(keepends=True)
    first, second, third = (tmp_path / name for name in ("z.jsonl", "a.jsonl", "empty.jsonl"))
    first.write_bytes(b"\n{broken\n" + b"".join(lines[:200]))
    second.write_bytes(b"".join(lines[200:]))
    third.touch()
    found = winback("tune", str(second), str(first), str(third), "--json").document
    assert found["stages"] == tuned(whole, "--json").document["stages"]
    assert found["data"]["files"] == [str(third), str(first), str(second)]
    assert found["data"]["out_of_order"] == 0


@pytest.mark.parametrize("command", ["tune", "simulate"])
def test_events_of_the_future_do_not_count(tmp_path: Path, command: str) -> None:
    file = Path(recorded(tmp_path / "events.jsonl", many()))
    whole = winback(command, str(file), "--json").document
    lines = file.read_bytes().splitlines(keepends=True)
    wrong = lines[7].replace(b'"2026-', b'"2099-')
    file.write_bytes(b"".join([*lines[:10], wrong, *lines[10:], wrong]))
    found = winback(command, str(file), "--json").document
    assert {**found["data"], "in_future": 0} == whole["data"]
    assert found["data"]["in_future"] == 2
    warning = found["warnings"][-1]
    assert warning.startswith(f"2 events are dated in the future and don't count. The first: {file}, line 11.")
    assert f"! {warning}" in winback(command, str(file)).out


def test_recording_of_the_future_has_no_events(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(json.dumps(seen("s1", 0)).replace("2026-", "2099-").encode() + b"\n{broken")
    warnings = tuned(file, "--json").document["warnings"]
    assert warnings[-2].startswith("1 event is dated in the future and doesn't count.")
    assert warnings[-1] == "The recording has no events."


def test_stage_that_needs_carts_is_named_if_no_event_has_one(tmp_path: Path) -> None:
    lines = [seen(f"s{n}", n, "product_selection") for n in range(3)]
    file = Path(recorded(tmp_path / "events.jsonl", lines))
    warnings = tuned(file, "--json").document["warnings"]
    assert any("contact.needs_cart leaves product_selection out" in text for text in warnings)
    lines.append(seen("s9", 1, cart={"total_value": 5}))
    recorded(file, lines)
    assert not any("needs_cart" in text for text in tuned(file, "--json").document["warnings"])
