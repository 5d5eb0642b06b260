from typing import Any

import pytest

from storefronts.options import Options
from storefronts.results import Erasure, Profile, VisitorId
from tests.support.storefront_bodies import become, only, reason, sample

PROPERTIES: dict[str, dict[str, Any]] = sample("segment_ecommerce")
AT = "2026-12-01T11:00:00Z"
WHO = {"anonymousId": "anonymous-1", "messageId": "m-1", "timestamp": AT}
MONOPOLY = {"name": "Monopoly: 3rd Edition", "sku": "45790-32", "price": 19}
UNO = {"name": "Uno Card Game", "sku": "46493-32", "price": 3}


def track(event: str, properties: object = None, **more: object) -> dict[str, object]:
    return {"type": "track", "event": event, "properties": properties, **WHO, **more}


def activity(stage: str, **more: object) -> dict[str, object]:
    return {"type": "activity", "occurred_at": AT, "flow_stage": stage, "platform": "web", **more}


@pytest.mark.parametrize(
    ("names", "stage"),
    [
        ("Products Searched, Product List Viewed, Viewed Product Category, Product Clicked", "product_selection"),
        ("Product Viewed, Product List Filtered, product_viewed, productViewed", "product_selection"),
        ("Product Added, Added Product, Product Removed, Removed Product, Cart Viewed", "cart_review"),
        ("Coupon Applied, Coupon Denied, Cart Shared, Wishlist Product Added to Cart", "cart_review"),
        ("Checkout Started, Started Order, Checkout Step Viewed, Checkout Step Completed", "checkout"),
        ("Payment Info Entered", "payment"),
    ],
)
def test_event_name_decides_on_the_stage(names: str, stage: str) -> None:
    for name in names.split(", "):
        found = only(become("segment", track(name), route="v1/track"))
        assert found.event == activity(stage)
        assert found.session_by == "visitor"
        assert found.visitor.ids == (VisitorId("anonymous", "anonymous-1"),)
        assert found.dedupe_key == "segment:m-1"


@pytest.mark.parametrize(
    ("name", "expected", "aliases"),
    [
        ("Product Viewed", activity("product_selection"), []),
        ("Product Added", activity("cart_review", session_id="skdjsidjsdkdj29j"), [("cart", "skdjsidjsdkdj29j")]),
        ("Product Removed", activity("cart_review", session_id="ksjdj92dj29dj92d2j"), [("cart", "ksjdj92dj29dj92d2j")]),
        (
            "Cart Viewed",
            activity("cart_review", session_id="d92jd29jd92jd29j92d92jd", cart={"items": [MONOPOLY, UNO]}),
            [("cart", "d92jd29jd92jd29j92d92jd")],
        ),
        (
            "Checkout Started",
            activity(
                "checkout",
                session_id="50314b8e9bcf000000000000",
                cart={
                    "items": [{**MONOPOLY, "quantity": 1}, {**UNO, "quantity": 2}],
                    "total_value": 30,
                    "currency": "USD",
                },
            ),
            [("order", "50314b8e9bcf000000000000")],
        ),
        (
            "Checkout Step Viewed",
            activity("payment", session_id="50314b8e9bcf000000000000"),
            [("checkout", "50314b8e9bcf000000000000")],
        ),
        (
            "Payment Info Entered",
            activity("payment", session_id="39f39fj39f3jf93fj9fj39fj3f"),
            [("checkout", "39f39fj39f3jf93fj9fj39fj3f"), ("order", "dkfsjidfjsdifsdfksdjfkdsfjsdfkdsf")],
        ),
        (
            "Order Completed",
            {
                "session_id": "fksdjfsdjfisjf9sdfjsd9f",
                "type": "order_completed",
                "occurred_at": AT,
                "order_value": 27.5,
                "currency": "USD",
                "cart_ids": ["fksdjfsdjfisjf9sdfjsd9f", "50314b8e9bcf000000000000"],
            },
            [("checkout", "fksdjfsdjfisjf9sdfjsd9f"), ("order", "50314b8e9bcf000000000000")],
        ),
    ],
)
def test_example_of_the_specification_becomes_an_event(
    name: str, expected: dict[str, object], aliases: list[tuple[str, str]]
) -> None:
    found = only(become("segment", track(name, PROPERTIES[name])))
    assert found.event == expected
    assert [tuple(alias) for alias in found.visitor.aliases] == aliases


@pytest.mark.parametrize("name", ["Order Refunded", "Order Cancelled", "Order Updated"])
def test_order_that_is_taken_back_sends_nothing(name: str) -> None:
    assert reason(become("segment", track(name, PROPERTIES.get(name)))) == "isn't about a shopper at the shop"


@pytest.mark.parametrize("name", ["Song Played", "", "Email Sent", "Payment Failed"])
def test_event_of_another_kind_is_ignored_unnamed(name: str) -> None:
    result = become("segment", track(name, {"email": "jane@example.com"}))
    assert reason(result) == "is an event that means nothing to Winback"
    assert result.ignored[0].name == ""


@pytest.mark.parametrize("name", ["Completed Order", "order completed", "Purchase", "Order Placed", "Pedido pagado"])
def test_order_is_read_leniently(name: str) -> None:
    found = only(become("segment", track(name, {"cartId": "cart-1", "total": "12,50", "currency": "eur"})))
    assert found.event["type"] == "order_completed"
    assert found.event["cart_ids"] == ["cart-1"]
    assert (found.event["order_value"], found.event["currency"]) == (12.5, "EUR")


@pytest.mark.parametrize("call", ["page", "screen"])
def test_page_is_browsing_unless_settings_name_its_path(call: str) -> None:
    fields = {"type": call, **WHO, "context": {"page": {"path": "/checkout/2"}}}
    assert only(become("segment", fields)).event == activity("product_selection")
    assert only(become("segment", fields, options=Options(checkout_paths=("/checkout",)))).event == activity("checkout")


@pytest.mark.parametrize(("step", "stage"), [(3, "payment"), ("3", "payment"), (2, "checkout"), (None, "checkout")])
def test_payment_step_is_a_setting(step: object, stage: str) -> None:
    fields = track("Checkout Step Viewed", {"step": step})
    assert only(become("segment", fields, options=Options(payment_step=3))).event == activity(stage)


@pytest.mark.parametrize(
    ("context", "platform"),
    [
        ({"device": {"type": "ios"}}, "ios"),
        ({"device": {"type": "Android"}}, "android"),
        ({"os": {"name": "iOS"}}, "ios"),
        ({"library": {"name": "analytics-swift"}}, "ios"),
        ({"library": {"name": "analytics-kotlin"}}, "android"),
        ({"library": {"name": "analytics.js"}}, "web"),
        ({"device": {"type": "desktop"}, "os": {"name": "Windows"}}, "web"),
        ({"device": "ios"}, "web"),
        (None, "web"),
    ],
)
def test_platform_is_that_of_the_sdk(context: object, platform: str) -> None:
    assert only(become("segment", track("Cart Viewed", context=context))).event["platform"] == platform


def test_customer_is_read_from_traits_and_properties() -> None:
    context = {
        "traits": {"firstName": "Jane", "lastName": "Doe", "email": "jane@example.com", "address": {"country": "CO"}},
        "locale": "es-CO",
        "campaign": {"name": "spring", "source": "mail"},
    }
    found = only(become("segment", track("Cart Viewed", {"phone": "300 123 4567"}, context=context)))
    assert found.event["customer"] == {
        "full_name": "Jane Doe",
        "phone_number": "300 123 4567",
        "email": "jane@example.com",
        "country_code": "CO",
        "language": "es",
    }
    assert found.event["engagement"] == {"metadata": {"utm_campaign": "spring", "utm_source": "mail"}}


def test_identify_is_no_sign_of_life() -> None:
    traits = {"name": "Jane Doe", "phone": "+573001234567"}
    (found,) = become("segment", {"type": "identify", "userId": 7, **WHO, "traits": traits}).parts
    assert isinstance(found, Profile)
    assert found.customer == {"full_name": "Jane Doe", "phone_number": "+573001234567"}
    assert found.visitor.ids == (VisitorId("user", "7"), VisitorId("anonymous", "anonymous-1"))


def test_alias_joins_two_ids_of_a_visitor() -> None:
    (found,) = become("segment", {"type": "alias", "userId": "user-1", "previousId": "p-1"}).parts
    assert isinstance(found, Profile)
    assert found.visitor.ids == (VisitorId("user", "user-1"), VisitorId("user", "p-1"), VisitorId("anonymous", "p-1"))


def test_deletion_is_an_erasure() -> None:
    fields = {"type": "delete", "userId": "user-1", "context": {"traits": {"email": "jane@example.com"}}}
    (found,) = become("segment-webhook", fields).parts
    assert isinstance(found, Erasure)
    assert found.visitor.ids == (VisitorId("user", "user-1"),)
    assert found.people == ({"email": "jane@example.com"},)


def test_deletion_has_the_country_of_its_number() -> None:
    traits = {"phone": "300 123 4567", "address": {"country": "CO"}}
    (found,) = become("segment-webhook", {"type": "delete", "userId": "user-1", "traits": traits}).parts
    assert isinstance(found, Erasure)
    assert found.people == ({"phone_number": "300 123 4567", "country_code": "CO"},)


def test_server_event_without_a_shopper_is_ignored() -> None:
    assert "no shopper" in reason(become("segment", track("Cart Viewed", context={"active": False})))
    assert (
        only(become("segment", track("Order Completed", context={"active": False}))).event["type"] == "order_completed"
    )


def test_event_without_a_visitor_is_ignored() -> None:
    assert "names no visitor" in reason(become("segment", {"type": "track", "event": "Cart Viewed"}))
    order = {"type": "track", "event": "Order Completed", "context": {"traits": {"email": "jane@example.com"}}}
    found = only(become("segment", order))
    assert (found.event["customer"], found.session_by) == ({"email": "jane@example.com"}, "alias")
    assert "names no visitor" in reason(become("segment", {**order, "event": "Cart Viewed"}))


def test_consent_is_only_in_the_field_that_settings_name() -> None:
    context = {"consent": {"categoryPreferences": {"Calls": True, "Advertising": False}}}
    fields = track("Cart Viewed", {"consent": True}, context=context)
    assert "customer" not in only(become("segment", fields)).event
    path = "context.consent.categoryPreferences."
    options = Options(consent={"call": f"{path}Calls", "whatsapp": f"{path}Advertising"})
    assert only(become("segment", fields, options=options)).event["customer"] == {
        "consent": {"call": True, "whatsapp": False}
    }


@pytest.mark.parametrize("products", [None, {}, "x", [7], [{"name": "A"}, None]])
def test_products_that_are_no_cart_are_left_out(products: object) -> None:
    found = only(become("segment", track("Cart Viewed", {"products": products})))
    assert "cart" not in found.event


def test_cart_without_products_was_emptied() -> None:
    assert only(become("segment", track("Cart Viewed", {"products": [], "value": 0}))).event["cart"] == {"items": []}


def test_cart_has_at_most_the_items_of_an_event() -> None:
    products = [{"name": f"P{number}"} for number in range(500)]
    assert len(only(become("segment", track("Cart Viewed", {"products": products}))).event["cart"]["items"]) == 200


def test_order_names_everyone_who_has_bought() -> None:
    context = {"traits": {"phone": "+573001234567"}}
    found = only(
        become("segment", track("Order Completed", {"phone": "+573007654321", "email": "j@x.co"}, context=context))
    )
    assert found.event["also_named"] == [{"phone_number": "+573007654321"}]
