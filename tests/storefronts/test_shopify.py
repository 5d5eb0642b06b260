from typing import Any

import pytest

from storefronts.results import Alias, VisitorId
from tests.support.storefront_bodies import become, only, reason, sample

CHECKOUT: dict[str, Any] = {**sample("shopify_checkouts")["checkouts"][0], "updated_at": "2026-12-01T07:05:27-04:00"}
CART: dict[str, Any] = {**sample("shopify_carts")["carts"][0], "id": "cart-1", "token": "cart-1"}
ORDER: dict[str, Any] = sample("shopify_order")["order"]
OF_CART, OF_CHECKOUT = CHECKOUT["cart_token"], CHECKOUT["token"]
LINES = [
    {"name": "IPod Nano - 8GB - Red", "sku": "IPOD2008RED", "quantity": 1, "price": 199.0},
    {"name": "IPod Nano - 8GB - Pink", "sku": "IPOD2008PINK", "quantity": 1, "price": 199.0},
]
BOB = {
    "full_name": "Bob Norman",
    "phone_number": "555-625-1199",
    "email": "bob.norman@example.com",
    "country_code": "US",
}
STATUSES = "paid authorized partially_paid partially_refunded"


@pytest.mark.parametrize("topic", ["carts/create", "carts/update", "Carts/Update"])
def test_cart_becomes_activity_at_the_cart(topic: str) -> None:
    money = {"shop_money": {"amount": "1.00", "currency_code": "COP"}}
    line = {**CART["line_items"][0], "price": "1.20", "discounted_price": "1.00", "price_set": money}
    found = only(become("shopify", {**CART, "line_items": [line]}, topic=topic))
    assert found.event == {
        "session_id": "cart-1",
        "type": "activity",
        "occurred_at": "2012-02-13T19:39:37Z",
        "flow_stage": "cart_review",
        "platform": "web",
        "cart": {"items": [{"name": "test", "quantity": 1, "price": 1.0}], "total_value": 1.0, "currency": "COP"},
    }
    assert found.visitor.aliases == (Alias("cart", "cart-1"),)


def test_cart_without_lines_was_emptied() -> None:
    assert only(become("shopify", {**CART, "line_items": []}, topic="carts/update")).event["cart"] == {"items": []}


@pytest.mark.parametrize("topic", ["checkouts/create", "checkouts/update"])
def test_checkout_becomes_activity_at_the_checkout(topic: str) -> None:
    found = only(become("shopify", CHECKOUT, topic=topic))
    assert found.event == {
        "session_id": OF_CART,
        "type": "activity",
        "occurred_at": "2026-12-01T11:05:27Z",
        "flow_stage": "checkout",
        "platform": "web",
        "previous_session_id": OF_CHECKOUT,
        "customer": BOB,
        "cart": {"items": LINES, "total_value": 409.94, "currency": "USD"},
        "engagement": {"metadata": {"abandoned_checkout_url": CHECKOUT["abandoned_checkout_url"]}},
    }
    assert found.visitor.aliases == (Alias("cart", OF_CART), Alias("checkout", OF_CHECKOUT))
    assert found.visitor.ids == (VisitorId("customer", "207119551"),)


def test_checkout_without_cart_is_its_own_session() -> None:
    event = only(become("shopify", {**CHECKOUT, "cart_token": None}, topic="checkouts/update")).event
    assert event["session_id"] == OF_CHECKOUT
    assert "previous_session_id" not in event


def test_completed_checkout_is_an_order() -> None:
    completed = {**CHECKOUT, "completed_at": "2026-12-01T07:06:00-04:00"}
    event = only(become("shopify", completed, topic="checkouts/update")).event
    assert (event["type"], event["occurred_at"]) == ("order_completed", "2026-12-01T11:06:00Z")
    assert (event["order_value"], event["currency"], event["cart_ids"]) == (409.94, "USD", [OF_CHECKOUT])
    assert "cart" not in event


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated"])
@pytest.mark.parametrize("status", STATUSES.split())
def test_order_that_is_paid_is_completed(topic: str, status: str) -> None:
    found = only(become("shopify", {**ORDER, "financial_status": status, "checkout_token": "co-1"}, topic=topic))
    assert found.event == {
        "session_id": ORDER["cart_token"],
        "type": "order_completed",
        "occurred_at": "2008-01-10T16:00:00Z",
        "customer": BOB | {"phone_number": found.event["customer"]["phone_number"]},
        "order_value": 409.94,
        "currency": "USD",
        "cart_ids": ["co-1"],
    }
    assert found.visitor.aliases == (
        Alias("cart", ORDER["cart_token"]),
        Alias("checkout", "co-1"),
        Alias("order", "450789469"),
    )


def test_order_of_topic_paid_is_completed_when_it_changed() -> None:
    order = {**ORDER, "financial_status": "", "updated_at": "2026-12-01T07:00:00-04:00"}
    event = only(become("shopify", order, topic="orders/paid")).event
    assert (event["type"], event["occurred_at"]) == ("order_completed", "2026-12-01T11:00:00Z")


@pytest.mark.parametrize("status", ["of-a-later-version", "", None, 7])
def test_new_order_of_unknown_state_is_completed(status: object) -> None:
    event = only(become("shopify", {**ORDER, "financial_status": status}, topic="orders/create")).event
    assert event["type"] == "order_completed"


def test_pending_order_is_a_payment_in_progress() -> None:
    event = only(become("shopify", {**ORDER, "financial_status": "pending"}, topic="orders/create")).event
    assert event["type"] == "payment_pending"
    assert "order_value" not in event


@pytest.mark.parametrize(
    ("topic", "change"),
    [
        ("orders/cancelled", {}),
        ("orders/paid", {"cancelled_at": "2026-12-01T11:00:00Z"}),
        ("orders/updated", {"financial_status": "refunded"}),
        ("orders/updated", {"financial_status": "voided"}),
        ("orders/updated", {"financial_status": "expired"}),
        ("orders/updated", {"financial_status": "of-a-later-version"}),
        ("orders/create", {"test": True}),
        ("orders/create", {"financial_status": "pending", "source_name": "pos"}),
        ("orders/create", {"financial_status": "pending", "source_name": "shopify_draft_order"}),
        ("checkouts/delete", {}),
        ("order_transactions/create", {}),
        ("products/update", {}),
        ("", {}),
    ],
)
def test_other_orders_and_topics_send_nothing(topic: str, change: dict[str, object]) -> None:
    assert reason(become("shopify", {**ORDER, **change}, topic=topic))


def test_order_of_staff_counts_for_the_person() -> None:
    order = {**ORDER, "cart_token": None, "source_name": "pos", "financial_status": "paid", "phone": "+15556251100"}
    found = only(become("shopify", order, topic="orders/create"))
    assert "session_id" not in found.event
    assert found.event["customer"]["email"] == "bob.norman@example.com"
    assert found.session_by == "alias"


def test_order_names_every_number_of_the_buyer() -> None:
    order = {**ORDER, "phone": "+13105550100", "contact_email": "other@example.com"}
    event = only(become("shopify", order, topic="orders/paid")).event
    assert event["customer"]["phone_number"] == "+13105550100"
    assert {"email": "other@example.com", "country_code": "US"} in event["also_named"]
    assert {"phone_number": "555-625-1199", "country_code": "US"} in event["also_named"]


def test_amount_is_that_which_the_shopper_saw() -> None:
    presented = {"presentment_money": {"amount": "1500000.00", "currency_code": "COP"}}
    event = only(become("shopify", {**ORDER, "total_price_set": presented}, topic="orders/paid")).event
    assert (event["order_value"], event["currency"]) == (1_500_000, "COP")


def test_bodies_of_today_have_lists_and_empty_texts() -> None:
    checkout = {**CHECKOUT, "shipping_address": [], "billing_address": None, "customer": None, "customer_locale": None}
    checkout |= {"line_items": [{"title": "Shoe", "sku": "", "quantity": "2", "price": "10.00"}]}
    event = only(become("shopify", checkout, topic="checkouts/update")).event
    assert event["customer"] == {"email": "bob.norman@example.com"}
    assert event["cart"]["items"] == [{"name": "Shoe", "quantity": 2, "price": 10.0}]


def test_storefront_id_is_cut_to_the_token() -> None:
    cart = {**CART, "token": "gid://shopify/Cart/c1-abc?key=secret"}
    assert only(become("shopify", cart, topic="carts/update")).event["session_id"] == "c1-abc"


def test_repeat_has_the_same_key_and_a_change_another() -> None:
    ids = ({"X-Shopify-Webhook-Id": "w-1"}, {"X-Shopify-Webhook-Id": "w-2"})
    first, second = (only(become("shopify", CART, topic="carts/update", headers=one)).dedupe_key for one in ids)
    changed = only(become("shopify", {**CART, "updated_at": "2026-11-30T00:00:00Z"}, topic="carts/update")).dedupe_key
    assert first == second != changed
    without = {**CART, "updated_at": None}
    first, second = (only(become("shopify", without, topic="carts/update", headers=one)).dedupe_key for one in ids)
    assert first != second


def test_time_of_the_delivery_counts_without_another() -> None:
    headers = {"X-Shopify-Triggered-At": "2026-12-01T10:00:00Z"}
    event = only(become("shopify", {**CART, "updated_at": None}, topic="carts/update", headers=headers)).event
    assert event["occurred_at"] == "2026-12-01T10:00:00Z"
