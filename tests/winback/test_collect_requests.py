"""`winback collect requests` lists open privacy requests masked, and marks them as done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.privacy_requests import Filing, Kind, PrivacyRequests
from tests.support.decision_support import Shop, shop_on
from tests.support.durations import HOUR_MS
from tests.support.privacy import EMAIL, PHONE
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def requests(shop: Shop) -> PrivacyRequests:
    return PrivacyRequests(shop.state.scripts, shop.state.keys, shop.state.cipher, SECRET)


def file(shop: Shop, kind: Kind, *people: dict[str, str], source: str = "shopify", name: str = "shop-a") -> str:
    at_ms = now_ms(shop.state) - 3 * HOUR_MS
    (request,) = requests(shop).file([Filing(kind, source, name, at_ms, "d", people, ["user:a"])])
    return request


def test_open_requests_are_listed_masked(shop: Shop) -> None:
    erasure = file(shop, "erasure", {"phone_number": PHONE, "email": EMAIL})
    data = file(shop, "data request", {"email": EMAIL})
    file(shop, "shop erasure")
    file(shop, "erasure", source="segment", name="")
    shown = shop.run("collect", "requests")
    for text in (erasure, data, "shopify shop-a", "3 h", "+57********67", "j***@***.com", "known by ids only"):
        assert text in shown
    assert PHONE not in shown
    assert EMAIL not in shown
    assert "winback person export" in shown
    assert PHONE in shop.run("collect", "requests", "--reveal")


def test_request_that_is_done_leaves_the_list(shop: Shop) -> None:
    request = file(shop, "data request", {"email": EMAIL})
    assert shop.run("collect", "requests", "--done", request) == f"{request}: done\n"
    assert shop.run("collect", "requests") == "no request is open\n"
    assert "no such request is open" in shop.run("collect", "requests", "--done", request, code=2)


def test_requests_are_listed_as_json(shop: Shop) -> None:
    request = file(shop, "erasure", {"phone_number": PHONE})
    requests(shop).postpone(request, HOUR_MS, "a problem")
    (found,) = shop.json("collect", "requests", "--reveal")
    assert (found["id"], found["people"], found["failures"]) == (request, [PHONE], 1)
    assert found["state"] == "failed once: a problem"
    (masked,) = shop.json("collect", "requests")
    assert masked["people"] == ["+57********67"]


def test_erasure_that_is_carried_out_shows_why_it_is_open(shop: Shop) -> None:
    request = file(shop, "erasure", {"phone_number": PHONE})
    assert "runs by itself" in shop.run("collect", "requests")
    requests(shop).postpone(request, HOUR_MS)
    assert "again when all collectors have delivered" in shop.run("collect", "requests")


def test_sender_cannot_forge_lines(shop: Shop) -> None:
    file(shop, "data request", {"email": "a\n\x1b[31mb@example.com"}, name="shop\nb")
    shown = shop.run("collect", "requests", "--reveal")
    assert "\x1b" not in shown
    assert "shop\\nb" in shown


def test_forget_closes_data_requests_of_the_person(shop: Shop) -> None:
    data = file(shop, "data request", {"email": EMAIL})
    other = file(shop, "data request", {"email": "other@example.com"}, name="shop-b")
    erasure = file(shop, "erasure", {"email": EMAIL})
    shown = shop.run("forget", "--scan", "--email", EMAIL, "--yes")
    assert "closed: 1 open request for a copy of their data" in shown
    assert f"stays: request {erasure} to erase them" in shown
    assert "no number, address or session of theirs is left" in shown
    assert [one.id for one in requests(shop).open()] == [erasure, other]
    assert data
