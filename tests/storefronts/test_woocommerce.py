from typing import Any

import pytest

from storefronts.options import Options
from storefronts.results import Alias
from tests.support.storefront_bodies import become, only, reason, sample

ORDER: dict[str, Any] = {**sample("woocommerce_order"), "created_via": "checkout", "date_paid_gmt": None}
JOHN = {
    "full_name": "John Doe",
    "phone_number": "(555) 555-5555",
    "email": "john.doe@example.com",
    "country_code": "US",
}
CART = {
    "items": [
        {"name": "Woo Single #1", "quantity": 2, "price": 3},
        {"name": "Ship Your Idea \u2013 Color: Black, Size: M Test", "sku": "Bar3", "quantity": 1, "price": 12},
    ],
    "total_value": 29.35,
    "currency": "USD",
}


def order(status: str, **more: object) -> dict[str, object]:
    return {**ORDER, "status": status, **more}


@pytest.mark.parametrize(
    ("status", "kind", "stage"),
    [
        ("checkout-draft", "activity", "checkout"),
        ("pending", "payment_pending", "payment"),
        ("on-hold", "payment_pending", "payment"),
        ("failed", "payment_declined", "payment"),
    ],
)
@pytest.mark.parametrize("made_by", ["checkout", "store-api"])
def test_open_order_has_cart_and_customer(made_by: str, status: str, kind: str, stage: str) -> None:
    found = only(become("woocommerce", order(status, created_via=made_by), topic="order.updated"))
    assert found.event == {
        "session_id": "wc-shop-a-727",
        "type": kind,
        "occurred_at": "2017-03-22T19:28:08Z",
        "flow_stage": stage,
        "platform": "web",
        "customer": JOHN,
        "cart": CART,
    }
    assert found.visitor.aliases == (Alias("order", "727"),)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "processing"},
        {"status": "completed"},
        {"status": "ready-for-pickup"},
        {"status": "on-hold", "date_paid_gmt": "2017-03-22T19:28:09"},
        {"status": "shipped"},
        {"status": "of-a-plugin", "date_paid_gmt": "2017-03-22T19:28:09"},
        {"status": "processing", "created_via": "admin"},
        {"status": "processing", "created_via": "rest-api"},
    ],
)
def test_paid_order_is_completed(change: dict[str, object]) -> None:
    event = only(become("woocommerce", {**ORDER, **change}, topic="order.created")).event
    paid = change.get("date_paid_gmt") or ORDER["date_modified_gmt"]
    assert event == {
        "session_id": "wc-shop-a-727",
        "type": "order_completed",
        "occurred_at": f"{paid}Z",
        "customer": JOHN,
        "order_value": 29.35,
        "currency": "USD",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelled"},
        {"status": "refunded", "date_paid_gmt": "2017-03-22T19:28:09"},
        {"status": "trash"},
        {"status": "auto-draft"},
        {"status": ""},
        {"status": None},
        {"status": "pending", "created_via": "admin"},
        {"status": "failed", "created_via": "rest-api"},
        {"status": "processing", "created_via": "subscription"},
        {"id": None},
    ],
)
def test_other_orders_send_nothing(change: dict[str, object]) -> None:
    assert reason(become("woocommerce", {**ORDER, "status": "pending", **change}, topic="order.updated"))


def test_orders_of_the_sample_become_what_they_are() -> None:
    kinds = {}
    for orders in sample("woocommerce_orders").values():
        for one in orders:
            kinds[one["id"]] = [event["type"] for event in become("woocommerce", one).events]
    assert kinds == {728: [], 729: ["order_completed"], 727: ["order_completed"], 723: ["order_completed"]}


@pytest.mark.parametrize("body", [b"webhook_id=123", b'{"id": 727}', b"[]", b"", b"nul"])
def test_ping_and_other_bodies_send_nothing(body: bytes) -> None:
    assert reason(become("woocommerce", body))


def test_topic_of_another_subject_sends_nothing() -> None:
    assert reason(become("woocommerce", order("pending"), topic="customer.updated"))


def test_consent_is_in_the_field_that_settings_name() -> None:
    meta = [{"id": 1, "key": "_call_me", "value": "yes"}]
    options = Options(consent={"call": "meta_data._call_me"})
    event = only(become("woocommerce", order("failed", meta_data=meta), options=options)).event
    assert event["customer"]["consent"] == {"call": True}


def test_order_without_lines_leaves_the_cart_as_it_is() -> None:
    assert "cart" not in only(become("woocommerce", order("pending", line_items=[]))).event


def test_key_of_the_pay_page_is_not_used() -> None:
    assert ORDER["order_key"] not in str(become("woocommerce", order("pending")))


def test_order_that_is_delivered_twice_has_one_key() -> None:
    created, updated, changed = (
        only(become("woocommerce", body, topic=topic)).dedupe_key
        for body, topic in [
            (order("pending"), "order.created"),
            (order("pending"), "order.updated"),
            (order("pending", total="30.00"), "order.updated"),
        ]
    )
    assert created == updated != changed
