"""A shop's own tools speak HTTP to a running Winback: a checkout that is given up is contacted, a paid one isn't."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.support.running_shop import Shop, free_port, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

KEY, SECRET = "server-key-1", "secret-of-yuno"
PRODUCT = {"product_id": "WH-1", "name": "Headphones", "price": 149.99, "quantity": 1}
CART = {"value": 149.99, "currency": "COP", "products": [PRODUCT]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("collected")
    settings = {
        "WINBACK_COLLECT__SERVER_KEYS": KEY,
        "WINBACK_COLLECT__YUNO_SECRETS": SECRET,
        "WINBACK_COLLECT__PORT": str(free_port()),
        "WINBACK_COLLECT__SPOOL": str(folder / "spool"),
    }
    with running_shop(folder, **settings) as found:
        yield found


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def post(shop: Shop, path: str, body: dict[str, Any], secret: str = "") -> None:
    raw = json.dumps(body).encode()
    signed = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    headers = {"x-hmac-signature": signed} if secret else {"authorization": f"Bearer {KEY}"}
    connection = HTTPConnection("127.0.0.1", int(shop.env["WINBACK_COLLECT__PORT"]), timeout=10)
    connection.request("POST", path, raw, headers)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"success": True})
    connection.close()


def check_out(shop: Shop, visitor: str, phone: str, order: str) -> None:
    """Browse, give name and number, fill a cart and begin the checkout, as Segment's SDKs report it."""

    def track(name: str, /, **properties: object) -> None:
        call = {"anonymousId": visitor, "event": name, "properties": properties, "timestamp": now()}
        post(shop, "/v1/track", call)

    traits = {"firstName": "Jane", "lastName": "Doe", "phone": phone, "address": {"country": "CO"}}
    post(shop, "/v1/identify", {"anonymousId": visitor, "traits": traits, "timestamp": now()})
    track("Product Viewed", **PRODUCT)
    track("Cart Viewed", cart_id=f"cart-{visitor}", **CART)
    track("Checkout Started", order_id=order, **CART)


def requests_to(shop: Shop, phone: str) -> list[dict[str, Any]]:
    return [request["body"] for request in shop.api.requests() if phone in json.dumps(request["body"])]


def test_abandoned_checkout_from_segment_is_contacted_once(shop: Shop) -> None:
    check_out(shop, "anon-1", "+573001110001", "A-1")
    (body,) = until(lambda: requests_to(shop, "+573001110001"))
    assert body["session"]["flow_stage"] == "checkout"
    assert body["customer"]["full_name"] == "Jane Doe"
    assert [item["name"] for item in body["cart"]["items"]] == ["Headphones"]


def test_payment_at_yuno_prevents_the_contact(shop: Shop) -> None:
    check_out(shop, "anon-2", "+573001110002", "A-2")
    payment = {
        "id": "pay-2",
        "status": "SUCCEEDED",
        "sub_status": "APPROVED",
        "merchant_order_id": "A-2",
        "amount": {"currency": "COP", "value": 149.99},
        "updated_at": now(),
    }
    post(shop, "/yuno", {"type_event": "payment.purchase", "data": {"payment": payment}}, SECRET)
    # A later shopper's contact shows that the sweep has passed the first one's threshold.
    check_out(shop, "anon-3", "+573001110003", "A-3")
    until(lambda: requests_to(shop, "+573001110003"))
    assert requests_to(shop, "+573001110002") == []
