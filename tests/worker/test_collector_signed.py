"""Webhooks with valid signatures, as their senders make them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import BY_PUBLIC, collector, emptied, post, streamed
from tests.support.storefront_bodies import sample
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

OLD, NEW = "secret-of-before", "secret-of-today"
SHOPIFY_SECRETS = {"shop-a": ["secret-of-shop-a"], "shop-b": ["secret-of-shop-b"]}
AT = "2026-11-22T16:40:00Z"
JANE = {"firstName": "José", "phone": "+573001234567", "ok": "yes"}
VECTORS: dict[str, dict[str, Any]] = {one["scheme"]: one for one in sample("signature_vectors")["vectors"]}


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@contextmanager
def started(valkey: EmbeddedValkey, folder: Path, **collect: Any) -> Iterator[Collector]:
    with collector(valkey.url, folder / "spool", **collect) as found:
        yield found


@pytest.fixture
def segment(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    consent = {"segment": {"call": "context.traits.ok"}}
    with started(valkey, tmp_path, segment_secrets=[OLD, NEW], consent=consent) as found:
        yield found


# Segment's webhook destination


def call(name: str, visitor: str, kind: str = "track") -> dict[str, Any]:
    return {"type": kind, "event": name, "anonymousId": visitor, "timestamp": AT, "context": {"traits": JANE}}


def compact(document: object) -> bytes:
    """Return JSON as JavaScript writes it: without spaces, and with letters as they are."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def by_segment(signed: bytes, secret: str = NEW) -> dict[str, str]:
    return {"x-signature": hmac.digest(secret.encode(), signed, hashlib.sha1).hex()}


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_signed_call_of_segment_is_an_event(redis: Any, segment: Collector, secret: str) -> None:
    body = compact(call("Checkout Started", "a-1"))
    assert post(segment.app, body, by_segment(body, secret), path="/segment-webhook").status == 200
    (event,) = streamed(redis)
    assert (event["flow_stage"], event["source"]) == ("checkout", "segment-webhook")
    assert event["customer"]["full_name"] == "José"
    assert event["customer"]["consent"] == {"call": True}


@pytest.mark.parametrize("space", [b"", b"\n  "])
def test_of_a_batch_only_the_first_call_is_signed(redis: Any, segment: Collector, space: bytes) -> None:
    first, *others = (
        compact(one)
        for one in (call("Checkout Started", "a-1"), call("Checkout Started", "a-2"), call("", "a-3", "delete"))
    )
    body = b"[" + space + (b"," + space).join([first, *others]) + space + b"]"
    assert post(segment.app, body, by_segment(first), path="/segment-webhook").status == 200
    signed, claimed = streamed(redis)
    assert signed["customer"]["consent"] == {"call": True}
    assert claimed["flow_stage"] == "checkout"
    assert "consent" not in claimed["customer"]
    assert segment.acceptance.totals.ignored == 1


def test_batch_is_refused_if_its_first_call_is_not_signed(redis: Any, segment: Collector) -> None:
    first, second = compact(call("Checkout Started", "a-1")), compact(call("Checkout Started", "a-2"))
    body = b"[" + second + b"," + first + b"]"
    for signed in (first, body, b""):
        assert post(segment.app, body, by_segment(signed), path="/segment-webhook").status == 401
    assert streamed(redis) == []


# The vectors


@pytest.mark.parametrize(
    ("scheme", "path", "setting"),
    [
        ("shopify", "/shopify/shop-a", "shopify"),
        ("woocommerce", "/woocommerce/shop-a", "woocommerce"),
        ("yuno", "/yuno", "yuno_secrets"),
        ("segment_webhook_destination", "/segment-webhook", "segment_secrets"),
        ("segment_webhook_destination_batched", "/segment-webhook", "segment_secrets"),
    ],
)
def test_request_of_a_vector_is_accepted(
    valkey: EmbeddedValkey, tmp_path: Path, scheme: str, path: str, setting: str
) -> None:
    vector = VECTORS[scheme]
    of_shop = setting in {"shopify", "woocommerce"}
    secrets = {"shop-a": [OLD, vector["secret"]]} if of_shop else [OLD, vector["secret"]]
    body, headers = vector["body_utf8"].encode(), {vector["header"].lower(): vector["expected"]}
    with started(valkey, tmp_path, **{setting: secrets}) as found:
        assert post(found.app, body, headers, path=path).status == 200
        changed = post(found.app, body[:3] + b" " + body[3:], headers, path=path)
        assert (changed.status, changed.json["message"]) == (401, "The signature is missing or wrong.")


# Several shops


def by_shopify(shop: str, topic: str, body: bytes) -> dict[str, str]:
    digest = hmac.digest(SHOPIFY_SECRETS[shop][0].encode(), body, hashlib.sha256)
    return {"x-shopify-topic": topic, "x-shopify-hmac-sha256": base64.b64encode(digest).decode()}


def order(found: Collector, shop: str, status: str, cart: str) -> None:
    document = {
        "id": 17,
        "cart_token": cart,
        "financial_status": status,
        "source_name": "web",
        "updated_at": AT,
        "customer": {"id": 5},
    }
    body = json.dumps(document).encode()
    answer = post(found.app, body, by_shopify(shop, "orders/create", body), path=f"/shopify/{shop}")
    assert answer.status == 200


def orders(redis: Any) -> list[tuple[str, str, str]]:
    return [(event["type"], event["session_id"], event["source"]) for event in streamed(redis)]


def test_orders_of_two_shops_with_one_number_are_not_mixed(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> None:
    with started(valkey, tmp_path, shopify=SHOPIFY_SECRETS) as found:
        order(found, "shop-a", "pending", "cart-a")
        order(found, "shop-b", "paid", "cart-b")
        order(found, "shop-a", "paid", "cart-a")
    assert orders(redis) == [
        ("payment_pending", "cart-a", "shopify/shop-a"),
        ("order_completed", "cart-b", "shopify/shop-b"),
        ("order_completed", "cart-a", "shopify/shop-a"),
    ]


def test_secret_of_one_shop_signs_nothing_of_another(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> None:
    body = json.dumps({"id": 17, "cart_token": "cart-b", "financial_status": "paid"}).encode()
    with started(valkey, tmp_path, shopify=SHOPIFY_SECRETS) as found:
        headers = by_shopify("shop-a", "orders/create", body)
        assert post(found.app, body, headers, path="/shopify/shop-b").status == 401
    assert streamed(redis) == []


@pytest.mark.parametrize(
    ("shops", "pending", "sessions"),
    [
        (["shop-a"], ["shop-a"], ["cart-a"]),
        (["shop-a", "shop-b"], ["shop-a"], ["cart-a"]),
        (["shop-a", "shop-b"], ["shop-b"], ["cart-b"]),
        # It may be the order of either shop. Doubt protects the shopper.
        (["shop-a", "shop-b"], ["shop-a", "shop-b"], ["cart-a", "cart-b"]),
        (["shop-a", "shop-b"], [], ["order-17"]),
    ],
)
def test_payment_finds_the_order_of_the_shop_that_knows_it(
    valkey: EmbeddedValkey, redis: Any, tmp_path: Path, *, shops: list[str], pending: list[str], sessions: list[str]
) -> None:
    secrets = {shop: SHOPIFY_SECRETS[shop] for shop in shops}
    with started(valkey, tmp_path, shopify=secrets, yuno_secrets=[NEW]) as found:
        for shop in pending:
            order(found, shop, "pending", f"cart-{shop[-1]}")
        pay(found, "SUCCEEDED")
    assert orders(redis)[len(pending) :] == [("order_completed", session, "yuno") for session in sessions]


def test_declined_payment_of_two_possible_shops_starts_no_contact(
    valkey: EmbeddedValkey, redis: Any, tmp_path: Path
) -> None:
    with started(valkey, tmp_path, shopify=SHOPIFY_SECRETS, yuno_secrets=[NEW]) as found:
        order(found, "shop-a", "pending", "cart-a")
        pay(found, "DECLINED")
        order(found, "shop-b", "pending", "cart-b")
        pay(found, "DECLINED")
    assert [one[:2] for one in orders(redis)] == [
        ("payment_pending", "cart-a"),
        ("payment_declined", "cart-a"),
        ("payment_pending", "cart-b"),
    ]


def pay(found: Collector, status: str) -> None:
    payment = {"id": "p", "status": status, "merchant_order_id": "17", "updated_at": AT}
    body = json.dumps({"type_event": "payment.purchase", "data": {"payment": payment}}).encode()
    digest = base64.b64encode(hmac.digest(NEW.encode(), body, hashlib.sha256)).decode()
    assert post(found.app, body, {"x-hmac-signature": digest}, path="/yuno").status == 200


# GA4


def test_events_of_a_ga4_client_share_a_session_until_the_purchase(
    valkey: EmbeddedValkey, redis: Any, tmp_path: Path
) -> None:
    def measured(*names: str, **more: object) -> bytes:
        return compact({"client_id": "1.2", "events": [{"name": name, "params": more} for name in names]})

    item = {"item_id": "SKU_1", "item_name": "Shirt", "price": 10.5, "quantity": 2}
    tag = {"event_name": "add_payment_info", "client_id": "1.2", "user_data": {"phone_number": "+573001234567"}}
    with started(valkey, tmp_path) as found:
        for body in (
            measured("view_item", "begin_checkout", currency="COP", value=21, items=[item]),
            compact(tag),
            measured("purchase", transaction_id="T-1", currency="COP", value=21, tax=4),
            measured("view_item"),
            measured("refund", transaction_id="T-1"),
        ):
            assert post(found.app, body, BY_PUBLIC, path="/ga4").status == 200
    viewed, checkout, payment, bought, after = streamed(redis)
    assert [event.get("flow_stage") for event in (viewed, checkout, payment)] == [
        "product_selection",
        "checkout",
        "payment",
    ]
    assert checkout["cart"]["items"][0]["name"] == "Shirt"
    assert payment["customer"]["phone_number"] == "+573001234567"
    assert (bought["type"], bought["order_value"]) == ("order_completed", 25)
    assert len({event["session_id"] for event in (viewed, checkout, payment, bought)}) == 1
    assert after["session_id"] != bought["session_id"]
