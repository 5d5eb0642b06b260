"""`winback forget` finds a person by each identity and in each spelling."""

from typing import Any

import pytest

from tasks.erasure.data_subject import DataSubject
from tests.support.decision_support import Shop
from tests.support.dumps import dump
from tests.support.events import JANE, event, happen
from tests.support.forgetting_people import JANES, JOHN, PHONE, shop, tombstones
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import abandon
from tests.support.people import EMAIL, JANES_MAIL
from tests.support.people import live as live_as_person
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, stored, texts

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


@pytest.mark.parametrize(
    ("text", "country", "is_hers"),
    [
        ("+573001234567", "", True),
        ("+57 (300) 123-4567", "MX", True),
        ("300 123 4567", "CO", True),
        ("300 123 4567", "", True),
        ("0 300 123 4567", "nowhere", True),
        ("+573001234568", "", False),
        ("3001234567", "PK", False),
        ("13001234567123", "", False),
        ("", "CO", False),
    ],
)
def test_a_number_is_recognised_however_a_shop_writes_it(text: str, country: str, *, is_hers: bool) -> None:
    assert DataSubject([PHONE], (), SECRET, lenient=True).is_named_by(text, country, "") == is_hers


# By e-mail address, and linked identities


def traces_of_both(shop: Shop) -> list[str]:
    """Return keys with a trace of Jane's number, address or sessions, or her hash outside of the kept keys."""
    client: Any = shop.state.client
    found = []
    for key, content in dump(shop.state).items():
        text = repr(content).lower()
        names = any(
            trace in text + key for trace in ("3001234567", "300 123 4567", "jane", "s-1", "s-2", "s-3", "s-mail")
        )
        own = any(person in key for person in (JANES, JANES_MAIL))
        if names and not key.endswith(tuple(f":session:{name}" for name in ("s-1", "s-2", "s-3", "s-mail"))):
            found.append(key)
        if own and not key.endswith(("opted_out", "consent", "reserved", "forgotten")):
            found.append(key)
        if not own and (JANES in text or JANES_MAIL in text):
            found.append(key)
    assert client.ping()
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("--phone", PHONE),
        ("--email", "JANE.DOE@EXAMPLE.COM"),
        ("--phone", "300 123 4567", "--country", "CO", "--email", EMAIL),
        ("--session", "s-2"),
    ],
)
def test_both_identities_go_however_one_is_named(shop: Shop, arguments: tuple[str, ...]) -> None:
    live_as_person(shop)
    assert traces_of_both(shop)
    done = shop.json("forget", *arguments, "--yes")
    assert done["left"] == []
    assert (done["erased"]["sessions"], done["entries"], done["rejected"]) == (3, 3, 1)
    assert traces_of_both(shop) == []
    assert stored(shop.state, "john").fields["name"] == "John Doe"


def test_exact_leaves_the_other_identity(shop: Shop) -> None:
    live_as_person(shop)
    shop.run("forget", "--scan", "--phone", PHONE, "--exact", "--yes")
    assert stored(shop.state, "s-mail").fields["email"] == EMAIL.upper()
    assert texts(shop.state, shop.state.keys.session("s-2")).keys() == {"state", "forgotten"}
    # Nothing of the other identity leads to removed data.
    assert shop.state.client.zrange(shop.state.keys.sessions(JANES_MAIL), 0, -1) == [b"s-mail"]
    assert shop.state.client.zrange(shop.state.keys.links(JANES_MAIL), 0, -1) == []


def test_a_refusal_outlives_an_approval_and_its_proof(shop: Shop) -> None:
    live_as_person(shop)
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    assert f"stays: {shop.state.keys.person(JANES)}consent: a refusal has to be known to be kept" in shown
    (kept,) = texts(shop.state, f"{shop.state.keys.person(JANES)}consent").items()
    assert kept[0] == "whatsapp"
    assert kept[1][15:] == "r"


def test_a_refusal_that_was_on_its_way_is_recorded(shop: Shop) -> None:
    publish(shop.state, event(customer={**JANE, "consent": {"call": False, "whatsapp": True}}))
    assert "a refusal of theirs hadn't been applied yet" in shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    kept = texts(shop.state, f"{shop.state.keys.person(JANES)}consent")
    assert {channel: text[15:] for channel, text in kept.items()} == {"call": "r"}


def test_contacts_that_were_made_stay_known(shop: Shop) -> None:
    outreach = live_as_person(shop)
    shop.run("forget", "--scan", "--email", EMAIL, "--yes")
    assert texts(shop.state, f"{shop.state.keys.person(JANES)}reserved").keys() == {outreach}


def test_superseded_session_is_forgotten_with_its_successor(shop: Shop) -> None:
    begin_s = now_ms(shop.state) / 1000 - 9
    publish(shop.state, event(session="s-1", occurred_at=begin_s, cart={"items": [{"name": "Kettle"}]}))
    publish(shop.state, event(session="s-2", customer=JANE, previous_session_id="s-1", occurred_at=begin_s + 1))
    ingest_of(shop.state).step()
    assert shop.json("forget", "--scan", "--phone", PHONE, "--yes")["left"] == []
    assert tombstones(shop, "s-1", "s-2")


@pytest.mark.parametrize(
    "written",
    ["0 300 123 4567", "٣٠٠١٢٣٤٥٦٧", "+57 (300) 123-4567", 573001234567],
)
def test_a_trace_in_another_spelling_is_named(shop: Shop, written: object) -> None:
    abandon(shop.state)
    happen(shop.state, event(session="john", customer=JOHN, engagement={"metadata": {"alt": written}}))
    assert len(shop.json("forget", "--scan", "--phone", PHONE, "--yes", code=1)["left"]) == 1
