"""`winback person`: the stored data about one person, and the completeness of the export."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from state.optouts import OptOuts
from state.people import person_of
from tests.support.deciding import unknown
from tests.support.decision_support import Shop, shop_on
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import event, happen
from tests.support.people import EMAIL, JANES, JANES_MAIL, JOHN, PHONE, WITH_MAIL, answer, contacted, link, live, named
from tests.support.states import SECRET
from tests.support.stored_state import texts
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
KEY = bytes(range(32)).hex()


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def export(shop: Shop, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
    shown = shop.run("person", "export", *arguments, code=code)
    document, end = json.JSONDecoder().raw_decode(shown)
    assert ("NOT complete" in shown[end:]) == (code == 1)
    return document


# show


def test_show_prints_everything_known(shop: Shop) -> None:
    outreach = live(shop)
    OptOuts(shop.state.scripts, shop.state.keys).add([JANES], "RNE", 1_764_547_200_000)
    story = shop.json("person", "show", "--phone", "300 123 4567", "--country", "CO")
    assert [(one["kind"], one["identity"], one["how"]) for one in story["identities"]] == [
        ("phone", "+57********67", "named"),
        ("email", "j***@***.com", "seen together"),
    ]
    assert story["opt_outs"] == [{"person": JANES, "source": "RNE", "at": "2025-12-01T00:00:00Z"}]
    call, whatsapp = story["consent"]
    assert (call["answer"], call["given_at"], call["source"]) == ("yes", "2026-10-01T10:00:00Z", "checkout form")
    assert (whatsapp["answer"], whatsapp["source"]) == ("no", "call centre")
    assert (story["limits"]["cap"], story["limits"]["used"]) == ("24h", 1)
    assert {one["session"]: one["state"] for one in story["sessions"]} == {
        "s-1": "abandoned",
        "s-2": "waiting",
        "s-mail": "waiting",
    }
    assert [(one["outreach"], one["outcome"], one["session"]) for one in story["contacts"]] == [
        (outreach, "dead: http_400", "s-1")
    ]
    assert story["unread_events"] == 3
    assert story["next"] == "no contact: they are opted out (RNE)"


def test_show_masks_personal_data_until_it_is_revealed(shop: Shop) -> None:
    live(shop)
    masked = shop.run("person", "show", "--email", EMAIL)
    assert not [word for word in ("3001234567", "jane.doe", "Jane") if word in masked]
    revealed = shop.run("person", "show", "--email", EMAIL, "--reveal")
    assert f"email {EMAIL}" in revealed
    assert f"phone {PHONE}" in revealed


def test_show_by_session_is_the_person_of_both_identities(shop: Shop) -> None:
    live(shop)
    story = shop.json("person", "show", "--session", "s-2", "--reveal")
    assert [(one["identity"], one["how"]) for one in story["identities"]] == [(PHONE, "named"), (EMAIL, "named")]
    assert [one["session"] for one in story["sessions"]] == ["s-1", "s-2", "s-mail"]


def test_exact_leaves_out_what_was_only_seen_together(shop: Shop) -> None:
    live(shop)
    story = shop.json("person", "show", "--email", EMAIL, "--exact")
    assert [one["session"] for one in story["sessions"]] == ["s-2", "s-mail"]
    assert [one["how"] for one in story["identities"]] == ["named"]


def test_shared_identity_links_no_person(shop: Shop) -> None:
    live(shop)
    link(shop.state, JANES_MAIL, *(person_of(f"+5730012300{number}", SECRET) for number in range(10, 21)))
    story = shop.json("person", "show", "--phone", PHONE)
    assert [one["how"] for one in story["identities"]] == ["named", "shared, left out"]
    assert [one["session"] for one in story["sessions"]] == ["s-1", "s-2"]


def test_the_next_step_is_what_happens_if_nothing_else_does(shop: Shop) -> None:
    happen(shop.state, event(session="s-1", customer=WITH_MAIL), ago_ms=MINUTE_MS)
    named(shop.state, JANES, "s-1")
    assert next_of(shop).startswith("session s-1: at ")
    happen(shop.state, event("order_completed", session="s-1"))
    assert next_of(shop) == "nothing is planned"
    contacted(shop.state, JANES, "07-0123456789abcdef")
    assert next_of(shop).startswith("nothing is planned; contact.cap excludes another contact until ")
    answer(shop.state, JANES, call="r", whatsapp="r")
    assert next_of(shop) == "no contact: they refused call and whatsapp"


def next_of(shop: Shop) -> str:
    return str(shop.json("person", "show", "--phone", PHONE)["next"])


def test_person_without_data_is_reported(shop: Shop) -> None:
    live(shop)
    shown = shop.run("person", "show", "--phone", "+573009999999", code=1)
    assert "sessions  none" in shown
    assert "nothing is planned" in shown


@pytest.mark.parametrize("command", ["show", "export"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the person: --phone NUMBER, --email ADDRESS or both, or --session SESSION"),
        (("--phone", PHONE, "--session", "s"), "name the person: "),
        (("--phone", "3001234567"), "'3001234567' is not a valid phone number"),
        (("--phone", "12", "--country", "Nowhere"), "--country: 'Nowhere' is not a country"),
        (("--email", "unknown"), "'unknown' is not a valid e-mail address"),
    ],
)
def test_a_mistake_is_one_line(shop: Shop, command: str, arguments: tuple[str, ...], said: str) -> None:
    shown = shop.run("person", command, *arguments, code=2)
    assert shown.startswith(said)
    assert len(shown.splitlines()) == 1


# export


def test_an_export_has_everything_and_nothing_of_others(shop: Shop) -> None:
    outreach = live(shop)
    document = export(shop, "--phone", PHONE)
    assert [one["session"] for one in document["sessions"]] == ["s-1", "s-2", "s-mail"]
    fields = document["sessions"][1]["fields"]
    assert (fields["name"], fields["email"]) == ("Jane Doe", "Jane.Doe@Example.com")
    assert fields["cart"]["items"][0]["name"] == "Headphones"
    assert [one["outreach"] for one in document["outreaches"]] == [outreach]
    assert document["outreaches"][0]["history"][-1]["text"] == "dead.http_400"
    assert {one["name"] for one in document["keys"]} == {"consent", "links", "reserved", "sessions"}
    assert [one["source"] for one in document["consent"]] == ["checkout form", "call centre"]
    assert [one["event"] for one in document["unread_events"]][-1] == '{"phone": "+57 300 123 4567", '
    assert len(document["unread_events"]) == 3
    assert len(document["rejected"]) == 1
    assert document["complete"]
    assert document["missed"] == []
    assert "John" not in json.dumps(document)


def test_an_export_shows_the_request_while_it_is_kept(shop: Shop) -> None:
    held = unknown(shop.state, "s-1")
    body = json.dumps({"customer": {"phone_number": PHONE}, "engagement": {"preferred_channel": "call"}})
    parked = shop.state.keys.body(held.outreach)
    shop.state.client.hset(parked, "body", body)
    shop.state.client.pexpire(parked, HOUR_MS)
    (outreach,) = export(shop, "--phone", PHONE)["outreaches"]
    assert outreach["request"]["customer"]["phone_number"] == PHONE
    named(shop.state, JANES, "s-1")
    (contact,) = shop.json("person", "show", "--phone", PHONE)["contacts"]
    assert contact["channel"] == "call"


@pytest.mark.parametrize(
    "leave",
    [
        lambda shop: happen(shop.state, event(session="john", customer=JOHN, engagement={"metadata": {"alt": EMAIL}})),
        lambda shop: shop.state.client.hset(shop.state.keys.problems, "x", "call (0)300-123-4567"),
        lambda shop: shop.state.client.set(f"{shop.state.keys.namespace}:x", "of s-1", px=HOUR_MS),
        lambda shop: shop.state.client.xadd(shop.state.keys.events, {"event": "{}", "note": "JANE.DOE%40example.com"}),
    ],
    ids=["in metadata of another", "in another key", "the session", "next to an event"],
)
def test_incomplete_export_names_the_place(shop: Shop, leave: Callable[[Shop], object]) -> None:
    live(shop)
    leave(shop)
    document = export(shop, "--phone", PHONE, code=1)
    assert len(document["missed"]) == 1
    assert not document["complete"]


def test_what_cannot_be_decrypted_is_missing(shop: Shop) -> None:
    live(shop)
    key = shop.state.keys.session("s-2")
    stamp = texts(shop.state, key)["cart"][:8]
    shop.state.client.hset(key, "cart", f"{stamp}~deadbeef:{'A' * 60}")
    assert export(shop, "--phone", PHONE, code=1)["missed"] == [key]


def test_an_encrypted_shop_exports_plain_data(valkey: EmbeddedValkey) -> None:
    with shop_on(valkey.url, WINBACK_ENCRYPTION_KEYS=KEY) as shop:
        live(shop)
        document = export(shop, "--email", EMAIL)
        assert document["sessions"][1]["fields"]["name"] == "Jane Doe"
        assert document["complete"]


def test_of_two_readings_the_strict_one_is_exported(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that is only possibly theirs belongs to another person. `forget` removes it, `export` leaves it out."""
    live(shop)
    ambiguous = {"full_name": "Ana", "phone_number": "00 57 300 123 4567", "country_code": "CO"}
    happen(shop.state, event(session="ambiguous", customer=ambiguous))
    monkeypatch.setattr("tasks.erasure.data_subject.identities_of", lambda *_: ("+79161234567",))
    assert "ambiguous" not in [one["session"] for one in export(shop, "--phone", PHONE, code=1)["sessions"]]


# explain


def test_explain_shows_the_latest_session_of_a_person(shop: Shop) -> None:
    live(shop)
    found = shop.json("explain", "--phone", PHONE)
    names = [one["session"] for one in found["sessions"]]
    assert names[-1] == "s-1"
    assert [one["session"]["session"] for one in found["stories"]] == names[:1]
    every = shop.json("explain", "--email", EMAIL.upper(), "--all")
    assert [one["session"]["session"] for one in every["stories"]] == names


@pytest.mark.parametrize("arguments", [(), ("s-1", "--phone", PHONE)])
def test_explain_wants_a_session_or_a_person(shop: Shop, arguments: tuple[str, ...]) -> None:
    assert shop.run("explain", *arguments, code=2) == "name either a SESSION, or a person by --phone or --email"
