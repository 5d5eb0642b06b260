from typing import Any

import pytest

from storefronts.options import Options
from storefronts.results import Alias, DataRequest, Erasure, Profile, VisitorId
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


def test_language_is_that_of_the_locale() -> None:
    event = only(become("shopify", {**CHECKOUT, "customer_locale": "es-CO"}, topic="checkouts/update")).event
    assert event["customer"]["language"] == "es"


def test_phone_that_can_be_read_counts_before_others() -> None:
    checkout = {**CHECKOUT, "phone": "555-555-SHIP", "customer": {"phone": "+573001234567"}}
    event = only(become("shopify", checkout, topic="checkouts/update")).event
    assert event["customer"]["phone_number"] == "+573001234567"


def test_consent_is_only_in_the_field_that_settings_name() -> None:
    checkout = {**CHECKOUT, "buyer_accepts_sms_marketing": True}
    assert "consent" not in only(become("shopify", checkout, topic="checkouts/update")).event["customer"]
    options = Options(consent={"whatsapp": "buyer_accepts_sms_marketing"})
    event = only(become("shopify", checkout, topic="checkouts/update", options=options)).event
    assert event["customer"]["consent"] == {"whatsapp": True}


def test_customer_is_a_profile() -> None:
    customer = {"id": 7, "first_name": "Jane", "last_name": "Doe", "phone": "+573001234567"}
    (found,) = become("shopify", customer, topic="customers/update").parts
    assert isinstance(found, Profile)
    assert found.customer == {"full_name": "Jane Doe", "phone_number": "+573001234567"}
    assert found.visitor.ids == (VisitorId("customer", "7"),)


@pytest.mark.parametrize("state", ["unsubscribed", "Unsubscribed"])
def test_unsubscription_refuses_both_channels(state: str) -> None:
    body = {"id": 7, "phone": "+573001234567", "sms_marketing_consent": {"state": state}}
    event = only(become("shopify", body, topic="customers_marketing_consent/update")).event
    consent = event["customer"]["consent"]
    assert (consent["call"], consent["whatsapp"]) == (False, False)


@pytest.mark.parametrize(
    ("state", "consent"), [("subscribed", {"call": True}), ("not_subscribed", None), ("pending", {"call": False})]
)
def test_subscription_counts_only_as_settings_say(state: str, consent: object) -> None:
    body = {"id": 7, "phone": "+573001234567", "sms_marketing_consent": {"state": state}}
    topic, options = "customers_marketing_consent/update", Options(consent={"call": "sms_marketing_consent.state"})
    (unnamed,) = become("shopify", body, topic=topic).parts
    (named,) = become("shopify", body, topic=topic, options=options).parts
    assert isinstance(unnamed, Profile)
    assert isinstance(named, Profile)
    assert "consent" not in unnamed.customer
    assert named.customer.get("consent") == consent


def test_redaction_of_a_customer_is_an_erasure() -> None:
    body = {
        "shop_domain": "a.myshopify.com",
        "customer": {"id": 7, "email": "jane@example.com", "phone": "+573001234567"},
        "orders_to_redact": [1, 2],
    }
    (found,) = become("shopify", body, topic="customers/redact").parts
    assert isinstance(found, Erasure)
    assert found.people == ({"phone_number": "+573001234567"}, {"email": "jane@example.com"})
    assert found.visitor.aliases == (Alias("order", "1"), Alias("order", "2"))
    assert not found.shop


def test_redaction_of_a_shop_is_of_the_path_s_shop() -> None:
    (found,) = become("shopify", {"shop_id": 1, "shop_domain": "b.myshopify.com"}, topic="shop/redact").parts
    assert isinstance(found, Erasure)
    assert found.shop == "shop-a"


def test_data_request_is_no_erasure() -> None:
    body = {
        "shop_id": 1,
        "customer": {"id": 7, "email": "j@example.com"},
        "orders_requested": [1],
        "data_request": {"id": 9},
    }
    (found,) = become("shopify", body, topic="customers/data_request").parts
    assert isinstance(found, DataRequest)
    # The signature doesn't cover the topic.
    for topic in ("customers/redact", "shop/redact"):
        assert reason(become("shopify", body, topic=topic))
