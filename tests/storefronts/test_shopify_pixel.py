import pytest

from storefronts.key_classes import permitted
from storefronts.options import Options
from storefronts.results import Alias, VisitorId
from tests.support.storefront_bodies import become, only, reason

AT = "2026-12-01T11:00:00Z"
PRICE = {"amount": 10.5, "currencyCode": "COP"}
CHECKOUT = {
    "token": "checkout-1",
    "email": "jane@example.com",
    "phone": "+573001234567",
    "shippingAddress": {"firstName": "Jane", "lastName": "Doe", "countryCode": "CO"},
    "currencyCode": "COP",
    "totalPrice": {"amount": 21},
    "lineItems": [{"title": "Shirt", "quantity": 2, "variant": {"sku": "S-1", "price": PRICE}}],
    "localization": {"language": {"isoCode": "es-CO"}},
}
CART = {
    "id": "gid://shopify/Cart/c1-abc?key=secret",
    "lines": [{"quantity": 2, "merchandise": {"sku": "S-1", "price": PRICE, "product": {"title": "Shirt"}}}],
    "cost": {"totalAmount": {"amount": 21, "currencyCode": "COP"}},
}
WHOLE = {
    "items": [{"name": "Shirt", "sku": "S-1", "quantity": 2, "price": 10.5}],
    "total_value": 21,
    "currency": "COP",
}
JANE = {
    "full_name": "Jane Doe",
    "phone_number": "+573001234567",
    "email": "jane@example.com",
    "country_code": "CO",
    "language": "es",
}


def pixel(name: str, data: object = None, path: str = "/") -> dict[str, object]:
    location = {"document": {"location": {"pathname": path}}}
    return {"id": "sh-1", "name": name, "clientId": "client-1", "timestamp": AT, "context": location, "data": data}


def activity(stage: str, **more: object) -> dict[str, object]:
    return {"type": "activity", "occurred_at": AT, "flow_stage": stage, "platform": "web", **more}


@pytest.mark.parametrize(
    ("names", "stage"),
    [
        ("page_viewed product_viewed collection_viewed search_submitted", "product_selection"),
        ("product_added_to_cart product_removed_from_cart cart_viewed", "cart_review"),
        ("checkout_started checkout_contact_info_submitted checkout_address_info_submitted", "checkout"),
        ("checkout_shipping_info_submitted", "checkout"),
        ("payment_info_submitted", "payment"),
    ],
)
def test_event_name_decides_on_the_stage(names: str, stage: str) -> None:
    for name in names.split():
        found = only(become("shopify-pixel", pixel(name, {"cart": None, "cartLine": None})))
        assert found.event == activity(stage)
        assert found.visitor.ids == (VisitorId("client", "client-1"),)
        assert found.dedupe_key == "shopify-pixel:client-1:sh-1"


def test_cart_page_has_the_whole_cart() -> None:
    event = only(become("shopify-pixel", pixel("cart_viewed", {"cart": CART}))).event
    assert event == activity("cart_review", session_id="c1-abc", cart=WHOLE)


def test_checkout_has_cart_and_customer() -> None:
    found = only(
        become("shopify-pixel", pixel("checkout_started", {"checkout": CHECKOUT}, "/checkouts/cn/c1-abc/en-co"))
    )
    assert found.event == activity("checkout", session_id="c1-abc", cart=WHOLE, customer=JANE)
    assert found.visitor.aliases == (Alias("cart", "c1-abc"), Alias("checkout", "checkout-1"))


def test_completed_checkout_is_an_order() -> None:
    data = {"checkout": {**CHECKOUT, "order": {"id": "gid://shopify/Order/7"}}}
    found = only(become("shopify-pixel", pixel("checkout_completed", data)))
    assert found.event["type"] == "order_completed"
    assert (found.event["order_value"], found.event["currency"]) == (21, "COP")
    assert found.visitor.aliases == (Alias("checkout", "checkout-1"), Alias("order", "7"))


def test_payment_error_is_a_claim() -> None:
    result = become("shopify-pixel", pixel("alert_displayed", {"alert": {"type": "PAYMENT_ERROR"}}))
    assert only(result).event == {"type": "payment_declined", "occurred_at": AT}
    assert permitted(result, "public").events == (activity("payment"),)


@pytest.mark.parametrize(
    "envelope",
    [
        pixel("alert_displayed", {"alert": {"type": "INPUT_INVALID"}}),
        pixel("visitorConsentCollected"),
        {"name": "page_viewed"},
        [7],
        {},
    ],
)
def test_other_event_sends_nothing(envelope: object) -> None:
    assert reason(become("shopify-pixel", envelope))


def test_customer_is_the_one_of_the_page_before_the_checkout() -> None:
    customer = {"firstName": "Jane", "lastName": "Doe", "phone": "+573001234567"}
    envelope = {**pixel("page_viewed"), "init": {"data": {"customer": customer}}}
    event = only(become("shopify-pixel", envelope)).event
    assert event["customer"] == {"full_name": "Jane Doe", "phone_number": "+573001234567"}


def test_wrong_clock_is_corrected() -> None:
    envelope = {**pixel("page_viewed"), "timestamp": "2026-12-01T09:00:00Z", "sentAt": "2026-12-01T10:00:00Z"}
    assert only(become("shopify-pixel", envelope)).event["occurred_at"] == AT


@pytest.mark.parametrize(("path", "stage"), [("/checkouts/cn/c1", "checkout"), ("/products/x", "product_selection")])
def test_page_of_the_checkout_is_at_the_checkout(path: str, stage: str) -> None:
    page = {"name": "page_viewed", "clientId": "c", "context": {"document": {"location": {"pathname": path}}}}
    found = become("shopify-pixel", page, options=Options(checkout_paths=("/checkouts/",)))
    assert [event["flow_stage"] for event in found.events] == [stage]
