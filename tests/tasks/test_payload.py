import copy
import json
from typing import Any

import pytest

from detectors.lanes import LANES_BY_NAME
from detectors.sequence import occurred_ms, stage_of
from tasks.delivery.payload import Built, InvalidContact, build
from tasks.delivery.request import RecoveryRequest
from tests.support.stored_sessions import REACHABLE, built, read, request, stored
from winback.simulation.mock_api.contract import check_body

FIRST: dict[str, Any] = {
    "session_id": "sess_abc123xyz",
    "type": "activity",
    "occurred_at": "2025-05-13T22:40:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
        "consent": {"call": True, "whatsapp": True},
    },
    "cart": {
        "total_value": 149.99,
        "currency": "COP",
        "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
    },
    "engagement": {"preferred_channel": "auto", "metadata": {"utm_campaign": "spring_sale"}},
}
LAST: dict[str, Any] = {
    "session_id": "sess_abc123xyz",
    "type": "activity",
    "occurred_at": "2025-05-13T22:45:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "engagement": {"metadata": {"last_clicked_button": "Proceed to Payment"}},
}
REQUEST = {
    "customer": {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
    },
    "session": {
        "abandonment_timestamp": "2025-05-13T22:45:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": "sess_abc123xyz",
    },
    "cart": {
        "total_value": 149.99,
        "currency": "COP",
        "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
    },
    "engagement": {
        "preferred_channel": "auto",
        "reason": "user_abandoned_checkout",
        "metadata": {"utm_campaign": "spring_sale", "last_clicked_button": "Proceed to Payment"},
    },
}


def test_documented_example_gives_the_documented_request() -> None:
    (_, first), (place, last) = read(FIRST), read(LAST)
    stage, platform = stage_of(place.activity)
    lane = LANES_BY_NAME[f"{stage}.{platform}.idle"]
    found = build(
        {**first, **last},
        session_id="sess_abc123xyz",
        stage=lane.stage,
        platform=lane.platform,
        abandoned_ms=occurred_ms(place.activity),
        reason=lane.kind.reason(lane.stage),
    )
    assert isinstance(found, Built)
    assert found.left_out == ()
    text = found.request.to_json()
    assert json.loads(text) == REQUEST
    assert text == json.dumps(REQUEST, separators=(",", ":"))
    assert check_body(text.encode()) == (REQUEST, [])


def test_minimal_request_has_four_objects_and_no_null() -> None:
    document, left_out = request(stored(customer=REACHABLE))
    assert document == {
        "customer": REACHABLE,
        "session": {
            "abandonment_timestamp": "2025-05-13T22:45:05Z",
            "flow_stage": "checkout",
            "platform": "web",
            "session_id": "s",
        },
        "cart": {},
        "engagement": {"preferred_channel": "auto", "reason": "own_reason"},
    }
    assert left_out == ()


def test_request_cannot_hold_a_field_outside_the_contract() -> None:
    for part in ("customer", "session", "cart", "engagement"):
        wider: dict[str, Any] = copy.deepcopy(REQUEST)
        wider[part]["more"] = 1
        with pytest.raises(ValueError, match="Extra inputs are not permitted"):
            RecoveryRequest.model_validate(wider)
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        RecoveryRequest.model_validate({**REQUEST, "more": {}})


@pytest.mark.parametrize(
    ("customer", "field"),
    [
        ({}, "customer.full_name"),
        ({**REACHABLE, "full_name": None}, "customer.full_name"),
        ({**REACHABLE, "full_name": "\u200b\x00\n"}, "customer.full_name"),
        ({**REACHABLE, "full_name": "Guest"}, "customer.full_name"),
        ({**REACHABLE, "full_name": "N/A"}, "customer.full_name"),
        ({**REACHABLE, "phone_number": None}, "customer.phone_number"),
        ({**REACHABLE, "phone_number": "12"}, "customer.phone_number"),
        ({**REACHABLE, "phone_number": "300 123 4567", "country_code": "Narnia"}, "customer.phone_number"),
        ({**REACHABLE, "phone_number": "+383 44 123 456", "country_code": None}, "customer.country_code"),
        ({**REACHABLE, "phone_number": "+383 44 123 456", "country_code": "XK"}, "customer.country_code"),
    ],
)
def test_missing_name_number_or_country_reaches_no_person(customer: object, field: str) -> None:
    assert built(stored(customer=customer)) == InvalidContact(field)


def test_no_contact_fields_reach_no_person() -> None:
    assert built({}) == InvalidContact("customer.full_name")


@pytest.mark.parametrize("bad", [None, "Narnia", ""])
def test_unreadable_country_is_taken_from_the_number_and_named(bad: str | None) -> None:
    document, left_out = request(stored(customer={**REACHABLE, "country_code": bad}))
    assert document["customer"]["country_code"] == "CO"
    assert left_out == ("customer.country_code (taken from the number)",)


@pytest.mark.parametrize(
    ("phone", "country", "code"),
    [
        ("+59171234567", "591", "BO"),
        ("+573001234567", "+57", "CO"),
        ("300 123 4567", "0057", "CO"),
        ("+14155552671", "1", "US"),
        ("+15146661234", "+1", "CA"),
        ("+573001234567", "BR", "BR"),
        ("300 123 4567", "Colômbia", "CO"),
        ("+573001234567", "170", "CO"),
    ],
)
def test_the_country_of_a_dialling_code_is_that_of_the_number(phone: str, country: str, code: str) -> None:
    document, _ = request(stored(customer={**REACHABLE, "phone_number": phone, "country_code": country}))
    assert document["customer"]["country_code"] == code


@pytest.mark.parametrize(
    ("language", "sent"),
    [("br", None), ("pt_br", "pt-BR"), ("Português", "pt"), ("pt-BR,pt;q=0.9", "pt-BR"), ("BR", None), ("en", "en")],
)
def test_the_country_in_place_of_the_language_is_left_out(language: str, sent: str | None) -> None:
    brazilian = {"full_name": "Bruna", "phone_number": "+5551987654321", "language": language}
    document, left_out = request(stored(customer=brazilian))
    assert document["customer"].get("language") == sent
    assert ("customer.language" in left_out) is (sent is None)


def test_names_are_decoded_and_discounts_keep_their_sign() -> None:
    cart = {
        "total_value": "19.990",
        "currency": "CLP",
        "items": [
            {"name": "Caf&eacute; &amp; T&eacute;", "sku": 5, "quantity": "2", "price": "12.495"},
            {"name": "Descuento", "price": -5000},
        ],
    }
    document, left_out = request(stored(customer={**REACHABLE, "full_name": "Jos&eacute; O&#039;Brien"}, cart=cart))
    assert document["customer"]["full_name"] == "José O'Brien"
    assert document["cart"] == {
        "total_value": 19990,
        "currency": "CLP",
        "items": [
            {"name": "Café & Té", "sku": "5", "quantity": 2, "price": 12495},
            {"name": "Descuento", "price": -5000},
        ],
    }
    assert left_out == ()
