"""`winback simulate` with known answers, and against the curve of `winback tune`."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recordings import Line, Ran, clock, ordered, recorded, seen, winback

JANE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
OPEN = {
    "WINBACK_CONTACT__LAW": "off",
    "WINBACK_CONTACT__REQUIRE_CONSENT": "[]",
    "WINBACK_CONTACT__CAP": "1ms",
    "WINBACK_CONTACT__PURCHASE_COOLDOWN": "1ms",
}
"""Settings under which only time speaks against a contact."""
CHECKOUT = "detection.idle.checkout"


def person(number: int, **more: object) -> Line:
    return {**JANE, "phone_number": f"+57300{number:07d}", **more}


def simulated(path: Path, lines: list[Line], *options: str, **env: str) -> Ran:
    file = recorded(path / "events.jsonl", lines)
    return winback("simulate", file, "--json", *options, env={**OPEN, **env})


def checkout(found: Ran, candidate: int = 0) -> Any:  # noqa: ANN401 - any JSON
    rows = found.document["candidates"][candidate]["rows"]
    return next(row for row in rows if (row["stage"], row["platform"]) == ("checkout", None))


def test_candidates_contact_shoppers_silent_for_longer(tmp_path: Path) -> None:
    lines = [seen(f"s{n}", 0, customer=person(n)) for n in range(4)]
    lines += [seen("s0", 7), ordered("s1", 20), seen("s2", 50)]
    found = simulated(tmp_path, lines, "--grid", f"{CHECKOUT}=5m,10m,30m")
    rows = [checkout(found, number) for number in (1, 2, 3)]
    assert [candidate["settings"] for candidate in found.document["candidates"]] == [
        "in force",
        *(f"{CHECKOUT}={wait}" for wait in ("5m", "10m", "30m")),
    ]
    assert [row["contacts"] for row in rows] == [4, 4, 3]
    assert [row["back"]["n"] for row in rows] == [3, 2, 1]
    assert [row["ordered"]["n"] for row in rows] == [1, 1, 0]
    assert checkout(found, 0)["contacts"] == 0
    # With 5 minutes, the contacts of s0 and s2 are used up when their shoppers leave for good.
    assert rows[0]["gone"] == {"n": 3, "flagged": 3, "contacted": 1, "missed": {"contacted_before": 2}}
    assert rows[1]["delay_seconds"]["median"] == 600


def test_reasons_of_the_policy_are_counted(tmp_path: Path) -> None:
    refused = {"consent": {"call": False, "whatsapp": False}}
    lines = [
        seen("fine-1", 0, customer=person(1)),
        seen("anonymous-1", 0),
        seen("refused-1", 0, customer=person(2, **refused)),
        seen("emptied-1", 0, customer=person(3), cart={"items": []}),
        seen("declined-1", 0, customer=person(4)),
        {**seen("declined-1", 1), "type": "payment_declined"},
    ]
    row = checkout(simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m"), 1)
    assert row["contacts"] == 1
    assert row["suppressed"] == {"invalid_contact": 1, "no_consent": 1, "declined_off": 1}
    assert row["cancelled"] == {"cart_emptied": 1}


def test_cap_of_a_person_holds_across_sessions(tmp_path: Path) -> None:
    lines = [seen("a-1", 0, customer=JANE), seen("b-1", 60, customer=JANE), seen("c-1", 600, customer=JANE)]
    found = simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m", "--set", f"{CHECKOUT}=10m,contact.cap=2h")
    assert [checkout(found, number)["contacts"] for number in (1, 2)] == [3, 2]
    assert checkout(found, 2)["suppressed"] == {"contacted_recently": 1}


def test_contact_in_quiet_hours_waits_unless_the_shopper_returns(tmp_path: Path) -> None:
    # By the clock of Bogota, 21:00 is minute 840, and 08:00 of the next day minute 1,500.
    lines = [seen(name, 850, customer=person(n)) for n, name in enumerate(("q1", "q2"))]
    lines += [seen("q1", 1000), seen("q2", 1510)]
    quiet = {"WINBACK_CONTACT__QUIET_HOURS": "21:00-08:00"}
    row = checkout(simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m", **quiet), 1)
    assert row["cancelled"] == {"came_back": 1}
    assert row["contacts"] == 2
    assert row["back"]["n"] == 1
    assert row["delay_seconds"]["most"] == 650 * 60
    assert row["night"] == {
        "flagged": 3,
        "share_of_flagged": 0.75,
        "back_before_opening": 1,
        "contacted": 2,
    }


def test_difference_of_equal_candidates_is_zero(tmp_path: Path) -> None:
    lines = [seen(f"s{n}", n, customer=person(n)) for n in range(40)] + [seen(f"s{n}", n + 15) for n in range(0, 40, 4)]
    env = {"WINBACK_DETECTION__IDLE__CHECKOUT": "10m"}
    found = simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m", "--set", f"{CHECKOUT}=20m", **env)
    assert checkout(found, 1)["difference"] == {"contacts": 0, "back_share": 0, "low": 0, "high": 0}
    later = checkout(found, 2)["difference"]
    assert later["back_share"] == pytest.approx(-0.25)
    assert later["low"] < -0.25 < later["high"] < 0


def test_shoppers_without_customers_count_as_reachable(tmp_path: Path) -> None:
    lines = [seen("s1", 0), seen("s2", 3)]
    found = simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m")
    assert (found.document["data"]["population"], checkout(found, 1)["contacts"]) == ("everybody", 2)
    lines.append(seen("s3", 0, customer=JANE))
    assert checkout(simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m"), 1)["contacts"] == 1
    assert checkout(simulated(tmp_path, lines, "--set", f"{CHECKOUT}=10m", "--everybody"), 1)["contacts"] == 3


def test_screen_shows_a_line_for_each_candidate(tmp_path: Path) -> None:
    file = recorded(tmp_path / "events.jsonl", [seen("s1", 0, customer=person(1))])
    shown = winback("simulate", file, "--set", f"{CHECKOUT}=10m", env=OPEN)
    assert shown.code == 0
    assert f"{CHECKOUT}=10m" in shown.out


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("detection.idle.checkout", "write KEY=VALUE, like detection.idle.checkout=20m"),
        ("delivery.rate=1/s", "only settings of [detection] and [contact] are simulated"),
        ("delivery.private_secret_key=hidden", "--set delivery.private_secret_key: only settings of"),
        ("detection.idle.checkuot=5m", "unknown setting; did you mean detection.idle.checkout?"),
        ("detection.idle.checkout=5", "detection.idle.checkout: '5' has no unit"),
    ],
)
def test_wrong_candidate_is_refused(tmp_path: Path, option: str, says: str) -> None:
    found = winback("simulate", recorded(tmp_path / "events.jsonl", []), "--set", option)
    assert (found.code, found.out) == (2, "")
    assert says in found.err
    assert "hidden" not in found.err


def test_too_many_candidates_are_refused_before_they_are_made(tmp_path: Path) -> None:
    grids = ["--grid", f"{CHECKOUT}=1m,2m,3m,4m,5m,6m,7m,8m,9m,10m"] * 10
    found = winback("simulate", recorded(tmp_path / "events.jsonl", []), *grids)
    assert (found.code, found.out) == (2, "")
    assert found.err == "--grid: makes 10,000,000,000 candidates: at most 99 are simulated at a time\n"


GAPS = st.lists(st.sampled_from([1, 2.5, 6, 11, 13, 31, 59, 61, 130, 500]), max_size=5)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 300), GAPS, st.booleans()), min_size=1, max_size=8))
def test_contacts_and_returns_equal_the_curve_of_tune(sessions: list[tuple[int, list[float], bool]]) -> None:
    lines: list[Line] = []
    for number, (begin, gaps, buys) in enumerate(sessions):
        minute: float = begin
        lines.append(seen(f"s{number}", minute, customer=person(number)))
        for gap in gaps:
            minute += gap
            lines.append(seen(f"s{number}", minute))
        if buys:
            lines.append(ordered(f"s{number}", minute + 7))
    with tempfile.TemporaryDirectory() as directory:
        file = recorded(Path(directory) / "events.jsonl", [*lines, clock(1)], ends=4 * 1440)
        curve = winback("tune", file, "--json", "--shadow", env=OPEN).stage()["curve"]
        waits = [point["threshold_seconds"] // 60 for point in curve]
        grid = f"{CHECKOUT}=" + ",".join(f"{wait}m" for wait in waits)
        found = winback("simulate", file, "--json", "--grid", grid, env=OPEN)
    ours = [(row["contacts"], row["back"]["n"]) for row in (checkout(found, n + 1) for n in range(len(waits)))]
    assert json.dumps(ours) == json.dumps([(point["contacts"], point["returned"]) for point in curve])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "has no events.\n"),
        ([seen("s1", 10_000_000)], "has no events. 1 event is dated in the future and doesn't count. The first: "),
    ],
)
def test_recording_without_events_is_refused(tmp_path: Path, lines: list[Line], says: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = winback("simulate", str(file), "--json")
    assert (found.code, found.out) == (2, "")
    assert says in found.err
