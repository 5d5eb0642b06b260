"""`winback forget` and `winback person` also reach the data that a collector has put aside."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.visitor_records import SHOPS, VisitorRecords
from state.visitors import Visit, Visitors
from tests.support.decision_support import Shop, shop_on
from tests.support.events import JANE, event
from tests.support.forgetting_people import JOHN, PHONE, left
from tests.support.ingest_support import ingest_of, publish
from tests.support.people import EMAIL
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(params=["clear", "encrypted"])
def shop(
    valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    env = {"WINBACK_ENCRYPTION_KEYS": bytes(range(32)).hex()} if request.param == "encrypted" else {}
    with shop_on(valkey.url, **env) as found:
        yield found


def place(shop: Shop, *visits: Visit) -> None:
    Visitors(shop.state.scripts, shop.state.keys, SECRET, shop.state.cipher).place(SHOPS, visits)


def identify(shop: Shop, visitor: str, **customer: str) -> None:
    texts = {name: f'"{text}"' for name, text in customer.items()}
    place(shop, Visit(now_ms(shop.state), visitor, begins=False, customer=texts))


def waiting(shop: Shop) -> int:
    return len(list(VisitorRecords(shop.state.scripts, shop.state.keys, shop.state.cipher).waiting()))


def visit(shop: Shop, session: str, customer: dict[str, str]) -> None:
    publish(shop.state, event(session=session, customer=customer))
    while ingest_of(shop.state).step():
        pass


@pytest.mark.parametrize("scan", [("--scan",), ()])
def test_waiting_data_of_the_person_is_removed(shop: Shop, scan: tuple[str, ...]) -> None:
    identify(shop, "jane", phone_number="300 123 4567", country_code="CO", full_name="Jane Doe")
    identify(shop, "john", phone_number=JOHN["phone_number"])
    done = shop.json("forget", "--phone", PHONE, "--yes", *scan)
    assert (done["waiting"], done["left"]) == (1, [])
    assert waiting(shop) == 1
    assert left(shop) == {}


def test_address_in_waiting_data_leads_to_more_of_the_person(shop: Shop) -> None:
    identify(shop, "jane", phone_number=PHONE, email=EMAIL)
    identify(shop, "jane-2", email=EMAIL)
    assert shop.json("forget", "--phone", PHONE, "--yes")["waiting"] == 2
    assert waiting(shop) == 0


def test_scan_removes_records_that_lead_to_the_session(shop: Shop) -> None:
    place(shop, Visit(now_ms(shop.state), "a-1", "u-1", ids=["cart-1", "order-1"]))
    visit(shop, "cart-1", JANE)
    done = shop.json("forget", "--phone", PHONE, "--yes", "--scan")
    assert (done["erased"]["sessions"], done["left"], done["mentions"]) == (1, [], 3)
    assert not [key for key in shop.state.client.scan_iter("*source*") if b"user:" not in key]


def test_export_has_the_waiting_data_and_is_complete(shop: Shop) -> None:
    identify(shop, "jane", phone_number=PHONE, full_name="Jane Doe")
    identify(shop, "john", phone_number=JOHN["phone_number"])
    place(shop, Visit(now_ms(shop.state), "a-1", "u-1", ids=["cart-1"]))
    visit(shop, "cart-1", JANE)
    # The document is on stdout, and a line about it on stderr.
    document = json.JSONDecoder().raw_decode(shop.run("person", "export", "--phone", PHONE))[0]
    assert document["waiting"] == [{"phone_number": PHONE, "full_name": "Jane Doe"}]
    assert (document["complete"], document["missed"]) == (True, [])
