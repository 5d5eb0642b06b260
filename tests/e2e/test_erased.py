"""A shop's tool asks to erase a person: a running Winback does so, also if its worker is killed half-way."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tasks.failpoints import VARIABLE
from tests.support.privacy import SHOPIFY_SECRET, shopify_headers
from tests.support.running_shop import CHECKOUT, Shop, free_port, jane, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where failpoints are armed."""
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, points: Path) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("erased")
    settings = {
        "WINBACK_COLLECT__SHOPIFY": json.dumps({"shop-a": [SHOPIFY_SECRET]}),
        "WINBACK_COLLECT__PORT": str(free_port()),
        "WINBACK_COLLECT__SPOOL": str(folder / "spool"),
        # No session falls silent in the meantime.
        "WINBACK_DETECTION__IDLE__CHECKOUT": "1h",
        VARIABLE: str(points),
    }
    with running_shop(folder, **settings) as found:
        yield found


def ask(shop: Shop, customer: dict[str, Any]) -> str:
    """Ask to erase a customer; return the id of the request."""
    body = json.dumps({"shop_id": 1, "customer": customer, "orders_to_redact": []}).encode()
    connection = HTTPConnection("127.0.0.1", int(shop.env["WINBACK_COLLECT__PORT"]), timeout=10)
    connection.request("POST", "/shopify/shop-a", body, shopify_headers("customers/redact", body))
    assert connection.getresponse().status == 200
    connection.close()
    (request,) = shop.redis.zrange("winback:{privacy}:open:erasures", 0, -1)
    return str(request.decode())


def session(shop: Shop, name: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for key in shop.redis.scan_iter(f"winback:*:session:{name}"):
        found = shop.redis.hgetall(key)
    return found


def visit(shop: Shop, name: str, phone: str) -> None:
    shop.send(name, **CHECKOUT, customer=jane(phone_number=phone))
    until(lambda: b"phone" in session(shop, name))


def is_open(shop: Shop, request: str) -> bool:
    return bool(shop.redis.exists(f"winback:{{privacy}}:request:{request}"))


def traces(shop: Shop, phone: str) -> list[str]:
    def content(key: bytes) -> object:
        kind = shop.redis.type(key)
        if kind == b"stream":
            return shop.redis.xrange(key)
        return shop.redis.hgetall(key) if kind == b"hash" else shop.redis.get(key) if kind == b"string" else ""

    return [key.decode() for key in shop.redis.scan_iter("winback:*") if phone in repr(content(key))]


def test_redaction_erases_the_customer(shop: Shop) -> None:
    visit(shop, "s-1", "+573001110001")
    request = ask(shop, {"id": 1, "phone": "+573001110001"})
    until(lambda: not is_open(shop, request))
    assert session(shop, "s-1").keys() == {b"state", b"forgotten"}
    assert traces(shop, "3001110001") == []
    log = shop.log.read_text()
    assert "person_erased" in log
    assert "3001110001" not in log


@pytest.mark.parametrize(("point", "phone"), [("data_removed", "+573001110002"), ("person_erased", "+573001110003")])
def test_erasure_outlives_a_kill_half_way(shop: Shop, points: Path, point: str, phone: str) -> None:
    visit(shop, point, phone)
    (points / point).write_text("KILL")
    request = ask(shop, {"id": 2, "phone": phone})
    until(lambda: not (points / point).exists())
    assert is_open(shop, request)
    # The lease ends.
    shop.redis.zadd("winback:{privacy}:due", {request: 0})
    until(lambda: not is_open(shop, request))
    assert session(shop, point).keys() == {b"state", b"forgotten"}
    assert traces(shop, phone.removeprefix("+57")) == []
