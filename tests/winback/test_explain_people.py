"""`winback explain` by person, and without the key of encryption."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from state.cipher import cipher_of
from tasks.policy.reasons import POSTPONED, REASONS
from tests.support.decision_support import Shop, shop_on
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.explaining import shop, told
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import sending, taken
from worker.supervision.embedded_valkey import EmbeddedValkey

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
PHONE, EMAIL = str(JANE["phone_number"]), "jane.doe@example.com"
KEY, OTHER = (
    "5e" * 4 + "00112233445566778899aabbccddeeff0102030405060708090a0b0c",
    "71" * 4 + ("00112233445566778899aabbccddeeff0102030405060708090a0b0c"),
)
CUSTOMER = {**JANE, "email": EMAIL}


def apply(shop: Shop, *events: dict[str, object]) -> None:
    publish(shop.state, *events)
    ingest_of(shop.state).step()


@pytest.mark.parametrize("named", [("--phone", PHONE), ("--email", EMAIL.upper())])
def test_sessions_of_a_person_are_listed_newest_first(shop: Shop, named: tuple[str, str]) -> None:
    for name, stage in (("old", "cart_review"), ("new", "payment")):
        apply(shop, event(session=name, stage=stage, customer=CUSTOMER))
    apply(shop, event(session="another", customer={"phone_number": "+573009999999"}))
    found = shop.json("explain", *named)
    assert [(one["session"], one["state"], one["stage"], one["outcome"]) for one in found["sessions"]] == [
        ("new", "waiting", "payment", None),
        ("old", "waiting", "cart_review", None),
    ]
    assert [one["session"]["session"] for one in found["stories"]] == ["new"]
    shown = shop.run("explain", *named)
    assert re.search(r"Z +waiting +payment +- +new\s+20.+Z +waiting +cart_review +- +old\s", shown)
    assert "run winback explain SESSION" in shown
    assert PHONE not in shown
    assert EMAIL not in shown


def test_outcome_of_each_session_is_listed(shop: Shop) -> None:
    apply(shop, event(session="paid", customer=CUSTOMER), event("order_completed", session="paid", stage=None))
    (one,) = shop.json("explain", "--phone", PHONE)["sessions"]
    assert (one["state"], one["outcome"]) == ("bought", "bought")


@pytest.mark.parametrize("named", [("--phone", PHONE), ("--email", EMAIL)])
def test_person_without_sessions_ends_with_code_1(shop: Shop, named: tuple[str, str]) -> None:
    shown = shop.run("explain", *named, code=1)
    assert shown.startswith("no session of this person is known")
    assert named[1] not in shown


@pytest.fixture
def encrypted(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url, WINBACK_ENCRYPTION_KEYS=KEY) as found:
        yield found


@pytest.mark.parametrize("keys", ["", OTHER])
def test_data_under_another_key_names_the_key_and_setting(encrypted: Shop, keys: str) -> None:
    happen(encrypted.state, event(customer=CUSTOMER, cart={"total_value": 3}), ago_ms=MINUTE_MS)
    encrypted.env["WINBACK_ENCRYPTION_KEYS"] = keys
    why = f"encrypted under key {cipher_of(KEY).ids[0]}: add that key to WINBACK_ENCRYPTION_KEYS"
    story = told(encrypted)["session"]
    assert (story["unreadable"], "missing" in story["next"]) == (why, False)
    shown = encrypted.run("explain", "s-1")
    assert re.search(rf"customer +{why}", shown)
    assert "cart " not in shown


def test_silent_session_under_another_key_is_not_said_to_lack_fields(encrypted: Shop) -> None:
    happen(encrypted.state, event(customer=CUSTOMER), ago_ms=HOUR_MS)
    encrypted.env["WINBACK_ENCRYPTION_KEYS"] = OTHER
    assert told(encrypted)["session"]["next"] == (
        "at the next sweep it is claimed; this command can't read the fields that decide on a contact"
    )


def test_reason_has_a_meaning_and_times_are_local_too(shop: Shop) -> None:
    held = taken(shop.state)
    shop.state.outbox.end_unsent(held, "suppressed", "no_cart")
    story = told(shop)
    assert (story["time_zone"], story["time_zone_of"]) == ("America/Bogota", "shopper")
    assert story["outreaches"][0]["history"][-1]["meaning"] == REASONS["suppressed"]["no_cart"]
    shown = shop.run("explain", "s-1")
    assert REASONS["suppressed"]["no_cart"] in shown
    at = datetime.fromisoformat(story["session"]["last_activity"])
    assert f"{at.astimezone(ZoneInfo('America/Bogota')):%H:%M})" in shown
    assert "in brackets America/Bogota, the time zone of the shopper" in shown


def test_postponement_by_law_has_a_meaning(shop: Shop) -> None:
    shop.state.outbox.postpone(taken(shop.state), delay_ms=HOUR_MS, why="law_CO until Monday 07:00")
    (story,) = told(shop)["outreaches"]
    assert story["history"][-1]["meaning"] == POSTPONED["law_*"]


def test_times_of_the_shop_stand_in_for_an_unknown_zone(shop: Shop) -> None:
    happen(shop.state, event())
    assert told(shop)["time_zone"] is None
    assert "Times are UTC: the shopper's time zone isn't certain" in shop.run("explain", "s-1")
    shop.env["WINBACK_REPORT__TIME_ZONE"] = "America/Bogota"
    assert (told(shop)["time_zone"], told(shop)["time_zone_of"]) == ("America/Bogota", "shop")
    assert "in brackets America/Bogota, the time zone of the shop" in shop.run("explain", "s-1")
    shop.env["WINBACK_CONTACT__DEFAULT_ZONE"] = "America/Lima"
    story = told(shop)
    assert (story["time_zone"], story["time_zone_of"]) == ("America/Lima", "shop")


def test_session_without_a_stage_waits_for_one(shop: Shop) -> None:
    happen(shop.state, event("exit", stage=None))
    shown = " ".join(shop.run("explain", "s-1").split())
    assert "session s-1 waiting for a stage and platform" in shown
    assert "last activity none at a stage" in shown


def test_other_session_of_active_elsewhere_is_named(shop: Shop) -> None:
    held = taken(shop.state)
    shop.state.outbox.end_unsent(held, "cancelled", "active_elsewhere")
    apply(shop, event(session="s-2", customer=JANE))
    assert told(shop)["outreaches"][0]["other_session"] == "s-2"
    assert re.search(r"other session +s-2", shop.run("explain", "s-1"))


def test_reply_is_masked_and_stored_encrypted(encrypted: Shop) -> None:
    held = sending(encrypted.state)
    said = f"Jane Doe has no valid number: {PHONE}"
    encrypted.state.outbox.settle(held, "dead", reason="http_400.BAD", line="attempt 1 http_400.BAD", quoted=said)
    stored = encrypted.state.client.hget(encrypted.state.keys.outreach(held.outreach), "history")
    assert stored is not None
    assert "Doe" not in str(stored)
    shown = encrypted.run("explain", "s-1")
    assert "attempt 1 http_400.BAD: **** **** has no valid number: ****" in " ".join(shown.split())
    encrypted.env["WINBACK_ENCRYPTION_KEYS"] = OTHER
    for command in (("explain", "s-1"), ("outreach", "show", held.outreach), ("dead", "show", held.outreach)):
        shown = " ".join(encrypted.run(*command).split())
        assert f"the reply is encrypted under key {cipher_of(KEY).ids[0]}: add that key" in shown
