"""Mangled requests: no source raises, and each event is one that can be applied."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefronts.delivery import Delivery, header_map
from storefronts.key_classes import permitted
from storefronts.options import Options
from storefronts.registry import SOURCES
from storefronts.results import Part, Profile, Translated
from storefronts.shopify import TOPICS
from tests.support.storefront_bodies import RECEIVED, become, only, problems, sample

OPTIONS = Options(
    consent={"call": "context.consent", "whatsapp": "meta_data.a.b"}, payment_step=3, checkout_paths=("/checkout",)
)
EVENT = {"session_id": "s-1", "type": "activity", "flow_stage": "checkout", "platform": "web"}
TRACKS = [
    {"type": "track", "event": name, "properties": fields, "anonymousId": "a-1", "messageId": "m-1", "sentAt": "2026"}
    for name, fields in sample("segment_ecommerce").items()
]
CALLS = [*TRACKS, sample("segment_track"), *sample("segment_batch")["batch"], {"type": "delete", "userId": 1}]
ORDERS = [order for orders in sample("woocommerce_orders").values() for order in orders]
SHOPIFY = [
    *sample("shopify_carts")["carts"],
    *sample("shopify_checkouts")["checkouts"],
    sample("shopify_order")["order"],
    {"id": 7, "phone": "+573001234567", "sms_marketing_consent": {"state": "unsubscribed"}},
    {"shop_id": 1, "customer": {"id": 7, "email": "j@example.com"}, "orders_to_redact": [1], "orders_requested": [2]},
]
GA = {
    "client_id": "c",
    "timestamp_micros": 1,
    "user_data": {"address": [{}]},
    "events": [{"name": "purchase", "params": {}}],
}
CHECKOUT = {
    "token": "t",
    "lineItems": [{"variant": {}}],
    "totalPrice": {"amount": 1},
    "shippingAddress": {"phone": "1"},
}
PIXEL = [
    {"id": "1", "clientId": "c", "name": name, "data": {"checkout": CHECKOUT, "cart": {"lines": [{}], "cost": {}}}}
    for name in ("cart_viewed", "checkout_started", "checkout_completed")
]
BODIES: dict[str, list[Any]] = {
    "segment": [sample("segment_batch"), {"batch": CALLS, "sentAt": "2026-12-01T11:00:00Z"}, *CALLS],
    "rudderstack": CALLS,
    "segment-webhook": [CALLS, *CALLS],
    "shopify": SHOPIFY,
    "shopify-pixel": [PIXEL, *PIXEL],
    "woocommerce": [sample("woocommerce_order"), *[{**order, "created_via": "checkout"} for order in ORDERS]],
    "yuno": [sample("yuno_payment_v2"), sample("yuno_payment_v1"), sample("yuno_refund_v2")],
    "ga4": [GA, {**GA, "event_name": "view_cart", "items": [{"item_name": "A", "price": 1}]}],
    "events": [EVENT, [EVENT, EVENT]],
    "standard-webhooks": [{"type": "order.completed", "timestamp": "2026-12-01T11:00:00Z", "data": EVENT}],
    "cloudevents": [sample("cloudevents_structured"), {"id": "1", "source": "/", "type": "exit", "data": [EVENT]}],
}
OWN = ("events", "standard-webhooks", "cloudevents")
HEADERS = (
    "webhook-id",
    "ce-id",
    "ce-type",
    "ce-time",
    "content-type",
    "x-shopify-triggered-at",
    "x-shopify-webhook-id",
)
WORDS = ("SUCCEEDED", "DECLINED", "FRAUD_DECLINED", "pending", "paid", "refunded", "Order Completed", "track", "failed")
ODD: list[object] = [
    *(None, True, 0, -1, 1e308, 10**400, float("nan"), float("inf"), "", " ", "\ufffd", "x" * 5000, "undefined"),
    *("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "\u202e\0", "١٢٣", "1,000.5", "-0", {}, [], [[]], [{}]),
    *({"a": {"a": {}}}, ["x", 7], {"value": 1, "key": "winback_session_id"}, *WORDS),
]


def nodes(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """The paths of all values in a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(one for key, value in inner for one in nodes(value, (*path, key)))]


def put(document: Any, path: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401 - as above
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = put(document[path[0]], path[1:], value)
    return copy


@st.composite
def mangled(draw: st.DrawFn, source: str) -> bytes:
    document = draw(st.sampled_from(BODIES[source]))
    for _ in range(draw(st.integers(0, 4))):
        path = draw(st.sampled_from(nodes(document)))
        document = put(document, path, draw(st.sampled_from(ODD)))
    raw = json.dumps(document, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.binary(max_size=8)) + raw[start + draw(st.integers(0, 8)) :]
    if draw(st.integers(0, 7)) == 0:
        raw = raw.replace(b"1", b"\\ud83d", 1)
    return raw


def requests(source: str) -> st.SearchStrategy[Delivery]:
    topics = st.sampled_from([*TOPICS, "order.updated", ""])
    routes = st.sampled_from(["", "v1/track", "v1/t", "v1/batch", "v1/m", "v1/identify"])
    headers = st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=20), max_size=3)

    def request(body: bytes, topic: str, route: str, more: dict[str, str]) -> Delivery:
        stated = {"x-shopify-topic": topic, "x-wc-webhook-topic": topic if source == "woocommerce" else ""}
        return Delivery(body, RECEIVED, header_map({**more, **stated}.items()), shop="shop-a", route=route)

    return st.builds(request, mangled(source), topics, routes, headers)


def is_sound(part: Part, *, is_own: bool) -> bool:
    """Whether a part is one that the collector can take as it is."""
    match part:
        case Translated():
            # Winback's own events are passed on as they are, and their problems are reported where they are applied.
            return is_own or not problems(part)
        case Profile():
            return part.occurred_at <= RECEIVED and bool(part.visitor.ids)
        case _:
            return isinstance(part, get_args(Part))


@pytest.mark.parametrize("source", SOURCES)
def test_mangled_request_becomes_sound_parts(source: str) -> None:
    @given(requests(source))
    def check(request: Delivery) -> None:
        result = SOURCES[source].result(request, OPTIONS)
        assert [part for part in result.parts if not is_sound(part, is_own=source in OWN)] == []
        claims = permitted(result, "public")
        assert len(claims.parts) == len(result.parts)
        assert not {event["type"] for event in claims.events} & {"payment_declined"}

    check()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("body", [b"", b"\0", b"null", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{\0", b'"' * 1000])
def test_body_that_is_no_json_is_ignored(source: str, body: bytes) -> None:
    result = SOURCES[source].result(Delivery(body, datetime(2026, 1, 1, tzinfo=UTC)), OPTIONS)
    assert result.events == ()


@pytest.mark.parametrize("source", SOURCES)
def test_dedupe_keys_and_ids_have_a_limit(source: str) -> None:
    body = json.dumps(BODIES[source][0]).replace("1", "1" * 300).encode()
    result = SOURCES[source].result(Delivery(body, RECEIVED, {"x-shopify-topic": "carts/update"}), OPTIONS)
    assert all(len(part.dedupe_key or "") <= 200 for part in result.translated)


def test_every_source_is_mangled() -> None:
    assert BODIES.keys() == SOURCES.keys()


@pytest.mark.parametrize("amount", [-1, 1e13, 10**400, float("nan"), "x", "-1", None, True, [1]])
def test_order_with_an_odd_amount_counts_without_it(amount: object) -> None:
    track = {"type": "track", "event": "Order Completed", "anonymousId": "a", "properties": {"total": amount}}
    payment = sample("yuno_payment_v2")
    payment["data"]["payment"]["amount"]["value"] = amount
    bodies: dict[str, object] = {
        "segment": track,
        "shopify": {**sample("shopify_order")["order"], "total_price": amount},
        "shopify-pixel": {**PIXEL[2], "data": {"checkout": {**CHECKOUT, "totalPrice": {"amount": amount}}}},
        "woocommerce": {**sample("woocommerce_order"), "total": amount},
        "yuno": payment,
        "ga4": {"event_name": "purchase", "client_id": "c", "value": amount},
    }
    for source, body in bodies.items():
        event = only(become(source, body, topic="orders/paid" if source == "shopify" else "")).event
        assert event["type"] == "order_completed"
        assert "order_value" not in event
