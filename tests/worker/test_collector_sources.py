"""Requests of shops' own tools become events in their sessions."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import BY_PUBLIC, BY_SERVER, collector, emptied, post, streamed
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

OLD, NEW = "secret-of-before", "secret-of-today"
JANE = {"firstName": "Jane", "phone": "+573001234567"}
PRODUCTS = [{"product_id": "p-1", "name": "Shoe", "price": 90, "quantity": 1}]


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    secrets = [OLD, NEW]
    with collector(
        valkey.url,
        tmp_path / "spool",
        shopify={"shop-a": secrets},
        woocommerce={"shop-b": secrets},
        yuno_secrets=secrets,
        segment_secrets=secrets,
    ) as started:
        yield started


def call(name: str, at: str, **properties: Any) -> bytes:
    body = {"anonymousId": "anon-1", "event": name, "timestamp": f"2026-11-22T16:{at}:00Z", "properties": properties}
    return json.dumps(body).encode()


def identify(at: str) -> bytes:
    return json.dumps({"anonymousId": "anon-1", "timestamp": f"2026-11-22T16:{at}:00Z", "traits": JANE}).encode()


def signature(body: bytes, secret: str = NEW) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def paid(order: str, **payer: Any) -> bytes:
    payment = {
        "id": "pay-1",
        "status": "SUCCEEDED",
        "sub_status": "APPROVED",
        "merchant_order_id": order,
        "amount": {"currency": "COP", "value": 90},
        "updated_at": "2026-11-22T16:30:00Z",
        "customer_payer": payer,
    }
    return json.dumps({"type_event": "payment.purchase", "data": {"payment": payment}}).encode()


def story(found: Collector) -> None:
    for path, body in (
        ("/v1/identify", identify("00")),
        ("/v1/track", call("Product Viewed", "01", product_id="p-1")),
        ("/v1/t", call("Cart Viewed", "02", cart_id="cart-7", products=PRODUCTS)),
        ("/v1/track", call("Checkout Started", "03", order_id="A-9", products=PRODUCTS)),
    ):
        assert post(found.app, body, path=path).status == 200


def test_calls_of_a_visitor_share_a_session(redis: Any, found: Collector) -> None:
    story(found)
    events = streamed(redis)
    assert [event["flow_stage"] for event in events] == ["product_selection", "cart_review", "checkout"]
    assert len({event["session_id"] for event in events}) == 1
    assert events[0]["customer"]["phone_number"] == JANE["phone"]


def test_profile_in_a_session_is_an_activity_at_its_place(redis: Any, found: Collector) -> None:
    story(found)
    assert post(found.app, identify("05"), path="/v1/identify").status == 200
    *_, checkout, profile = streamed(redis)
    assert profile["session_id"] == checkout["session_id"]
    assert (profile["type"], profile["flow_stage"]) == ("activity", "checkout")
    assert profile["customer"]["phone_number"] == JANE["phone"]


def test_payment_finds_the_session_by_its_order(redis: Any, found: Collector) -> None:
    story(found)
    body = paid("A-9")
    assert post(found.app, body, {"x-hmac-signature": signature(body)}, path="/yuno").status == 200
    *_, checkout, order = streamed(redis)
    assert (order["type"], order["session_id"]) == ("order_completed", checkout["session_id"])


@pytest.mark.parametrize("ids", [{}, {"cart_id": "cart-8"}])
def test_cart_after_the_payment_is_a_new_session(redis: Any, found: Collector, ids: dict[str, str]) -> None:
    story(found)
    body = paid("A-9")
    for _ in range(2):
        assert post(found.app, body, {"x-hmac-signature": signature(body)}, path="/yuno").status == 200
        assert post(found.app, call("Cart Viewed", "40", products=PRODUCTS, **ids), path="/v1/t").status == 200
    checkout, *after = streamed(redis)[-5:]
    orders, carts = after[::2], after[1::2]
    assert {order["session_id"] for order in orders} == {checkout["session_id"]}
    assert {cart["session_id"] for cart in carts}.isdisjoint({checkout["session_id"]})
    assert len({cart["session_id"] for cart in carts}) == 1
    assert "previous_session_id" not in carts[0]


def test_checkout_after_its_payment_is_in_the_paid_session(redis: Any, found: Collector) -> None:
    body = paid("A-9")
    assert post(found.app, body, {"x-hmac-signature": signature(body)}, path="/yuno").status == 200
    assert post(found.app, call("Checkout Started", "29", order_id="A-9"), path="/v1/t").status == 200
    assert post(found.app, call("Cart Viewed", "40", cart_id="cart-8"), path="/v1/t").status == 200
    order, checkout, cart = streamed(redis)
    assert (order["type"], checkout["flow_stage"]) == ("order_completed", "checkout")
    assert order["session_id"] == checkout["session_id"] != cart["session_id"]
    assert "previous_session_id" not in cart


@pytest.mark.parametrize("status", ["PENDING", "DECLINED"])
def test_other_status_without_a_session_or_a_person_is_dropped(redis: Any, found: Collector, status: str) -> None:
    body = paid("A-9").replace(b"SUCCEEDED", status.encode()).replace(b"APPROVED", b"X")
    assert post(found.app, body, {"x-hmac-signature": signature(body)}, path="/yuno").status == 200
    assert streamed(redis) == []


def test_payment_without_a_session_counts_for_the_payer(redis: Any, found: Collector) -> None:
    body = paid("A-0", phone={"country_code": "57", "number": "3001234567"})
    assert post(found.app, body, {"x-hmac-signature": signature(body, OLD)}, path="/yuno").status == 200
    (order,) = streamed(redis)
    assert (order["type"], order["session_id"]) == ("order_completed", "A-0")
    assert order["customer"]["phone_number"].replace(" ", "") == "+573001234567"


def test_repeated_requests_find_the_same_sessions(redis: Any, found: Collector) -> None:
    story(found)
    before = streamed(redis)
    story(found)
    repeated = {event["session_id"] for event in streamed(redis)[len(before) :]}
    assert repeated == {before[0]["session_id"]}


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/shopify/shop-a", "x-shopify-hmac-sha256"),
        ("/woocommerce/shop-b", "x-wc-webhook-signature"),
        ("/yuno", "x-hmac-signature"),
    ],
)
def test_signature_of_either_secret_is_accepted(redis: Any, found: Collector, path: str, header: str) -> None:
    body = b'{"id": 7}'
    for secret, status in ((OLD, 200), (NEW, 200), ("secret-of-others", 401)):
        assert post(found.app, body, {header: signature(body, secret)}, path=path).status == status
    assert post(found.app, body, BY_SERVER, path=path).status == 401
    assert post(found.app, b'{"id": 8}', {header: signature(body)}, path=path).status == 401
    assert streamed(redis) == []


@pytest.mark.parametrize("path", ["/shopify/shop-b", "/woocommerce/shop-a", "/shopify/other"])
def test_secret_of_another_shop_is_refused(found: Collector, path: str) -> None:
    body = b'{"id": 7}'
    headers = {"x-shopify-hmac-sha256": signature(body), "x-wc-webhook-signature": signature(body)}
    assert post(found.app, body, headers, path=path).status == 401


def test_ping_of_a_new_webhook_needs_no_signature(redis: Any, found: Collector) -> None:
    assert post(found.app, b"webhook_id=3", {}, path="/woocommerce/shop-b").status == 200
    assert post(found.app, b"webhook_id=3", {}, path="/woocommerce/other").status == 401
    assert streamed(redis) == []


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer server-key-9"}])
@pytest.mark.parametrize("path", ["/v1/track", "/beacon/v1/batch", "/ga4", "/cloudevents", "/events"])
def test_source_with_keys_refuses_an_unknown_one(found: Collector, path: str, headers: dict[str, str]) -> None:
    assert post(found.app, call("Cart Viewed", "02"), headers, path=path).status == 401


def test_beacon_has_its_key_in_the_url(redis: Any, found: Collector) -> None:
    batch = b'{"batch": [' + call("Cart Viewed", "02", cart_id="c-1")[:-1] + b', "type": "track"}]}'
    assert post(found.app, batch, {}, path="/beacon/v1/batch?writeKey=public-key-1").status == 200
    assert [event["flow_stage"] for event in streamed(redis)] == ["cart_review"]


def test_public_key_cannot_erase_or_allow(redis: Any, found: Collector) -> None:
    body = json.dumps({"type": "delete", "userId": "u-1"}).encode()
    assert post(found.app, body, BY_PUBLIC, path="/v1/track").status == 200
    assert found.acceptance.totals.ignored == 1
    assert streamed(redis) == []


def test_metrics_of_sdks_are_answered(found: Collector) -> None:
    assert post(found.app, b'{"series": []}', {}, path="/v1/m").status == 200


def test_body_that_is_no_json_is_refused(found: Collector) -> None:
    assert post(found.app, b"{", path="/v1/track").json["code"] == "unreadable"
