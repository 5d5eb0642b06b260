"""`winback tune` on the recorder's lines finds the same as on the shop's own events."""

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from tests.support.recordings import START, Line, Ran, recorded, seen, winback
from tests.winback.test_tune_reading import CHANGES, READER
from winback.tuning.said import NOTHING
from worker.recorder.lines import line_of
from worker.recorder.pseudonyms import Pseudonyms

_NUMBERS = ("+57300{:07d}", "+1305555{:04d}", "+551198{:07d}", "300{:07d}")
_STAGES = ("product_selection", "cart_review", "checkout", "payment")
_COUNTRIES = ("CO", "US", "BR", "CO")


def shop(seed: int, sessions: int = 400) -> list[Line]:
    """Return the events of a shop of two weeks, with people who come back, buy, refuse and opt out."""
    random = Random(seed)
    found: list[Line] = []
    for number in range(sessions):
        person, minute = random.randrange(sessions // 2), random.uniform(0, 14 * 1440)
        customer = _customer(random, person)
        for _ in range(random.randrange(1, 6)):
            minute += random.choice([1, 5, 12, 40, 200, 1500]) * random.uniform(0.7, 1.4)
            found.append(_event(random, f"cart {number}", minute, customer))
    return found


def _customer(random: Random, person: int) -> Line:
    kind = person % len(_NUMBERS)
    customer: Line = {"phone_number": _NUMBERS[kind].format(person), "country_code": _COUNTRIES[kind]}
    if random.random() < 0.9:
        customer["full_name"] = "Ana Diaz"
    if random.random() < 0.2:
        customer["consent"] = {"call": random.random() < 0.5, "whatsapp": random.random() < 0.3}
    if random.random() < 0.1:
        customer["region"] = "Florida"
    return customer


def _event(random: Random, session: str, minute: float, customer: Line) -> Line:
    at = (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
    kind = random.random()
    event: Line = {"session_id": session, "type": "activity", "occurred_at": at, "platform": "web"}
    if kind < 0.08:
        return {"session_id": session, "type": "order_completed", "occurred_at": at, "customer": customer}
    if kind < 0.1:
        return {"type": "opt_out", "occurred_at": at, "customer": {"phone_number": customer["phone_number"]}}
    event["flow_stage"] = random.choice(_STAGES)
    if kind < 0.5:
        event["customer"] = customer
    if kind < 0.7:
        event["cart"] = random.choice([{"total_value": random.uniform(1, 99), "currency": "USD"}, {"items": []}])
    return event


def as_recorded(lines: list[Line]) -> list[Line]:
    pseudonyms = Pseudonyms(b"a secret of some length")
    found = (line_of(json.dumps(line).encode(), 0, pseudonyms) for line in lines)
    return [json.loads(line) for line in found if line is not None]


def results(ran: Ran) -> Any:  # noqa: ANN401 - any JSON
    """Return everything that doesn't depend on the groups for the intervals, which follow from the ids."""
    document = ran.document
    keys = ("contacts", "followed", "returned", "share_raw")
    stages = [
        (row["stage"], row["platform"], [tuple(point[key] for key in keys) for point in row["curve"]])
        for row in document["stages"]
    ]
    return stages, {name: value for name, value in document["data"].items() if name != "files"}


def without_intervals(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a document without what depends on the groups of people, which follow from their hashes."""
    if isinstance(document, list):
        return [without_intervals(one) for one in document]
    if not isinstance(document, dict):
        return document
    return {name: without_intervals(one) for name, one in document.items() if name not in {"low", "high"}}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "given_settings",
    [{}, {"WINBACK_CONTACT__QUIET_HOURS": "20:00-09:00"}, {"WINBACK_CONTACT__MIN_VALUE": "USD=50"}],
    ids=["usual", "quiet_hours", "min_value"],
)
def test_recording_gives_the_same_result(tmp_path: Path, seed: int, given_settings: dict[str, str]) -> None:
    lines = shop(seed)
    own = winback("tune", "--shadow", "--json", recorded(tmp_path / "own", lines, ends=15 * 1440), env=given_settings)
    path = recorded(tmp_path / "recorded", as_recorded(lines), packed=True, ends=15 * 1440)
    ours = winback("tune", "--shadow", "--json", path, env=given_settings)
    assert own.code == ours.code <= 1, own.err + ours.err  # 1: too few contacts for a recommendation
    assert results(own) == results(ours)
    assert own.document["data"]["persons"] > 100
    assert own.document["data"]["population"] == "contactable"


def test_contacts_name_sessions_as_the_shop_does(tmp_path: Path) -> None:
    lines = shop(1, sessions=20)
    contacts = tmp_path / "contacts"
    contacts.write_text(json.dumps({"session_id": "cart 3", "at": "2026-03-03T12:00:00Z", "what": "contact"}))
    path = recorded(tmp_path / "recorded", as_recorded(lines), ends=15 * 1440)
    env = {"WINBACK_IDENTITY_SECRET": "a secret of some length"}
    with_secret = winback("tune", "--json", "--contacts", str(contacts), path, env=env)
    without = winback("tune", "--json", "--contacts", str(contacts), path)
    assert with_secret.document["data"]["contacts_in_recording"] == 1
    assert without.document["data"]["contacts_in_recording"] == 0


@given(CHANGES)
@settings(max_examples=500)
def test_messy_event_is_read_the_same_from_its_line(changes: Line) -> None:
    raw = json.dumps(seen("c-1", 5) | changes).encode()
    line = line_of(raw, 0, Pseudonyms(b"a secret of some length"))
    own = READER.read_any(raw)
    if isinstance(own, str):
        return
    if line is None:
        assert not own.session
        assert not own.people
        return
    found = READER.read_any(line)
    assert not isinstance(found, str), found
    facts = ("stamp", "at_ms", "activity", "is_tuned", "is_order", "is_optout")
    assert [getattr(found, name) for name in facts] == [getattr(own, name) for name in facts]
    assert (bool(found.session), len(found.people), len(found.also)) == (
        bool(own.session), len(own.people), len(own.also)
    )  # fmt: skip
    news, own_news = found.said or NOTHING, own.said or NOTHING
    facts = ("named", "email", "call", "whatsapp", "cart", "bot")
    assert [getattr(news, name) for name in facts] == [getattr(own_news, name) for name in facts]


@pytest.mark.parametrize("seed", range(3))
def test_simulate_finds_the_same_in_a_recording(tmp_path: Path, seed: int) -> None:
    # Numbers with 555 are for tests, which a recording doesn't tell.
    lines: list[Line] = json.loads(json.dumps(shop(seed)).replace("+1305555", "+1305444"))
    candidates = [
        "detection.idle.checkout=5m",
        "detection.idle.checkout=5m,contact.delay=2h,contact.cap=1h",
        "contact.quiet_hours=20:00-09:00,contact.min_value=USD=50",
        "contact.law=off,contact.by_country.CO.quiet_hours=08:00-20:00",
    ]
    options = [word for one in candidates for word in ("--set", one)]
    own = winback("simulate", recorded(tmp_path / "own", lines, ends=15 * 1440), *options, "--json")
    path = recorded(tmp_path / "recorded", as_recorded(lines), packed=True, ends=15 * 1440)
    ours = winback("simulate", path, *options, "--json")
    assert (own.code, ours.code) == (0, 0), own.err + ours.err
    assert without_intervals(own.document["candidates"]) == without_intervals(ours.document["candidates"])
    contacts = [sum(row["contacts"] for row in one["rows"]) for one in own.document["candidates"]]
    assert min(contacts) > 10
    assert len(set(contacts)) > 3
