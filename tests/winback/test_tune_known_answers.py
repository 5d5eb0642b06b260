"""`winback tune --json` on small recordings whose answers are known."""

import json
from pathlib import Path

import pytest

from tests.support.recordings import Line, Ran, moment, ordered, recorded, seen, winback

ENDS = (3, 8, 12, 20, 40, 120, None, None, None, None)
TEN = [seen(f"s{n}", 0) for n in range(10)]


def tuned(path: Path, lines: list[Line], *options: str, ends: float = 2880, **env: str) -> Ran:
    file = recorded(path / "events.jsonl", lines, ends=ends)
    return winback("tune", file, "--json", "--shadow", *options, env=env)


def test_orders_end_silences_and_leave_fewer_contacts(tmp_path: Path) -> None:
    found = tuned(tmp_path, TEN + [ordered(f"s{n}", end) for n, end in enumerate(ENDS) if end])
    assert found.counts(2, 10, 15, 30, 40, 45, 50) == [(10, 5), (8, 3), (7, 2), (6, 1), (5, 0), (5, 0), (5, 0)]
    assert found.counts(60, 75, 90, 105, 120, 360) == [(5, 1)] * 4 + [(4, 0)] * 2
    smooth = {point["threshold_seconds"] // 60: point["share"] for point in found.stage()["curve"]}
    assert smooth[40] == pytest.approx(4 / 35) == smooth[105]
    assert found.stage()["status"] == "too_few"


def test_returns_without_order_leave_every_contact(tmp_path: Path) -> None:
    found = tuned(tmp_path, TEN + [seen(f"s{n}", end) for n, end in enumerate(ENDS) if end])
    expected = [(10, 5), (10, 3), (10, 2), (10, 1), (10, 0), (10, 1), (10, 0)]
    assert found.counts(2, 10, 15, 30, 45, 60, 120) == expected


def test_session_counts_one_contact_at_each_threshold(tmp_path: Path) -> None:
    found = tuned(tmp_path, [seen("s1", 0), seen("s1", 6), seen("s1", 26)])
    assert found.counts(5, 10, 30) == [(1, 1), (1, 1), (1, 0)]


@pytest.mark.parametrize(("wait", "contacts_at_50"), [("5m", 0), ("30m", 1)])
def test_other_stage_that_used_the_contact_up_leaves_none(tmp_path: Path, wait: str, contacts_at_50: int) -> None:
    lines = [seen("s1", 0), seen("s1", 50, "cart_review"), seen("s1", 60)]
    found = tuned(tmp_path, lines, WINBACK_DETECTION__IDLE__CART_REVIEW=wait)
    assert found.counts(45, 50) == [(1, 1), (contacts_at_50, 0)]


def test_contact_near_the_end_of_the_recording_is_not_followed(tmp_path: Path) -> None:
    begins = [seen(f"s{n}", 0) for n in range(5)] + [seen("s5", 40), seen("s6", 55)]
    orders = [ordered("s0", 12), ordered("s1", 35), ordered("s6", 70)]
    # Of five that began at 0, three have no end.
    found = tuned(tmp_path, begins + orders, "--horizon", "30m", ends=100)
    assert found.counts(10, 15, 30, 60) == [(7, 3), (5, 1), (5, 1), (3, 0)]


def test_event_of_the_person_in_another_session_ends_a_silence(tmp_path: Path) -> None:
    jane = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
    lines = [seen("s1", 0, customer=jane), seen("s2", 25, "payment", customer=jane | {"phone_number": "300 123 4567"})]
    assert tuned(tmp_path, lines).counts(20, 25) == [(1, 1), (0, 0)]


@pytest.mark.parametrize(("horizon", "expected"), [("30m", [(1, 0), (1, 1), (1, 1)]), ("1h", [(1, 1)] * 3)])
def test_order_counts_from_the_first_contact(tmp_path: Path, horizon: str, expected: list[tuple[int, int]]) -> None:
    lines = [seen("s1", 0), seen("s1", 30), ordered("s1", 45)]
    assert tuned(tmp_path, lines, "--outcome", "order", "--horizon", horizon).counts(10, 15, 20) == expected


def test_contact_in_quiet_hours_waits_for_their_end(tmp_path: Path) -> None:
    lines = [
        seen("q1", 530),
        seen("q1", 570),
        seen("q2", 530),
        ordered("q2", 1230),
        seen("q3", 510),
        ordered("q3", 535),
    ]
    found = tuned(tmp_path, lines, WINBACK_CONTACT__QUIET_HOURS="21:00-08:00")
    assert found.counts(5, 10, 30) == [(3, 2), (3, 2), (2, 1)]


def live(path: Path, *, held_out: bool, horizon: str, told: bool = True) -> Ran:
    lines = [seen(f"s{n}", 0) for n in range(60)] + [ordered(f"s{n}", 12) for n in range(20)]
    lines += [ordered(f"s{n}", 16) for n in range(20, 29)] + [ordered(f"s{n}", 25) for n in (50, 51)]
    contacts = path / "contacts.jsonl"
    what = {n: "holdout" if held_out and n >= 50 else "contact" for n in range(20, 60)}
    contacts.write_text(
        "".join(json.dumps({"session_id": f"s{n}", "at": moment(15), "what": w}) + "\n" for n, w in what.items())
    )
    file = recorded(path / "events.jsonl", lines)
    how = ("--contacts", str(contacts)) if told else ("--shadow",)
    return winback("tune", file, "--json", "--horizon", horizon, *how)


def shares(found: Ran, *minutes: int) -> list[float]:
    by_minute = {point["threshold_seconds"] // 60: point["share_raw"] for point in found.stage()["curve"]}
    return [by_minute[minute] for minute in minutes]


def test_people_held_out_stand_for_those_contacted(tmp_path: Path) -> None:
    found = live(tmp_path, held_out=True, horizon="1h")
    assert shares(found, 5, 10, 15, 20, 30) == pytest.approx([28 / 60, 28 / 60, 0.2, 0.2, 0])
    data = found.document["data"]
    assert (data["contacts_in_recording"], data["holdout_in_recording"]) == (30, 10)


def test_shares_after_contacts_without_holdout_are_null(tmp_path: Path) -> None:
    found = live(tmp_path, held_out=False, horizon="5m")
    assert shares(found, 8, 10) == pytest.approx([1 / 3, 1 / 3])
    assert shares(found, 15, 20, 30) == [None, None, None]


def test_contacts_that_are_not_named_change_the_share(tmp_path: Path) -> None:
    assert shares(live(tmp_path, held_out=True, horizon="1h", told=False), 15) == pytest.approx([11 / 40])
