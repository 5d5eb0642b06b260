import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.activity import MAX_METADATA_BYTES
from detectors.lanes import LANES_BY_NAME
from detectors.parsing import parse
from detectors.sequence import Position, occurred_ms, position, stage_of
from detectors.session_fields import fields_of
from tasks.delivery.payload import Built, InvalidContact, build, phone_of, timestamp
from tasks.delivery.request import RecoveryRequest
from winback.simulation.mock_api.contract import check_body

ARRIVAL_MS = 1_747_176_305_000  # 2025-05-13T22:45:05Z

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


def read(event: Mapping[str, object]) -> tuple[Position, dict[str, str]]:
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert not parsed.problems
    return position(parsed.event, ARRIVAL_MS), fields_of(parsed.event)


def stored(**parts: object) -> dict[str, str]:
    """What is stored of an event with the given parts."""
    return read({"session_id": "s", "type": "exit", **parts})[1]


def built(fields: Mapping[str, str]) -> Built | InvalidContact:
    return build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=ARRIVAL_MS, reason="own_reason")


def request(fields: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """The request as a document, once the contract has been held against it, and what was left out."""
    found = built(fields)
    assert isinstance(found, Built)
    document, breaches = check_body(found.request.to_json().encode())
    assert breaches == []
    return document, found.left_out


REACHABLE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}


def test_the_documented_example_comes_out_as_exactly_the_documented_request() -> None:
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


def test_a_request_without_anything_optional_has_its_four_objects_and_no_null() -> None:
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


def test_a_request_cannot_hold_a_field_that_the_contract_does_not_know() -> None:
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
def test_without_a_valid_name_number_and_country_nobody_can_be_reached(customer: object, field: str) -> None:
    assert built(stored(customer=customer)) == InvalidContact(field)


def test_nobody_can_be_reached_with_nothing() -> None:
    assert built({}) == InvalidContact("customer.full_name")


@pytest.mark.parametrize("bad", [None, "Narnia", ""])
def test_a_country_that_cannot_be_read_is_taken_from_the_number_and_named(bad: str | None) -> None:
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


def test_names_reach_the_request_decoded_and_discounts_with_their_sign() -> None:
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


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"customer": {**REACHABLE, "email": "jane@"}}, "customer.email"),
        ({"customer": {**REACHABLE, "language": "Elvish"}}, "customer.language"),
        ({"customer": REACHABLE, "cart": {"currency": "gold coins"}}, "cart.currency"),
        ({"customer": REACHABLE, "engagement": {"preferred_channel": "pigeon"}}, "engagement.preferred_channel"),
    ],
)
def test_an_optional_field_that_cannot_be_made_valid_is_left_out_and_named(
    parts: dict[str, object], named: str
) -> None:
    document, left_out = request(stored(**parts))
    assert left_out == (named,)
    without, nothing = request(stored(customer=REACHABLE))
    assert document == without
    assert nothing == ()


def test_what_the_shop_wrote_loosely_goes_out_as_the_contract_wants_it() -> None:
    customer = {
        "full_name": " Jane\n Doe ",
        "phone_number": "300 123 4567",
        "country_code": "colombia",
        "language": "pt_br",
        "email": "jane.doe@EXAMPLE.com",
    }
    cart = {"currency": "cop", "total_value": 0.1 + 0.2, "items": [{"name": "A\nB", "price": 1.005, "quantity": 2}]}
    document, left_out = request(
        stored(customer=customer, cart=cart, engagement={"preferred_channel": "WhatsApp", "reason": " left\nus "})
    )
    assert document["customer"] == {**REACHABLE, "language": "pt-BR", "email": "jane.doe@example.com"}
    assert document["cart"] == {
        "currency": "COP",
        "total_value": 0.3,
        "items": [{"name": "A B", "price": 1, "quantity": 2}],
    }
    assert document["engagement"] == {"preferred_channel": "whatsapp", "reason": "left us"}
    assert left_out == ()


def test_items_that_say_nothing_are_not_sent() -> None:
    document, _ = request(
        stored(customer=REACHABLE, cart={"total_value": 5, "items": [{}, {"sku": "A"}, {"name": ""}]})
    )
    assert document["cart"] == {"total_value": 5, "items": [{"sku": "A"}]}


def test_amounts_are_json_numbers_in_the_text_itself() -> None:
    found = built(stored(customer=REACHABLE, cart={"total_value": 150, "items": [{"price": 0.1}, {"price": 1e12}]}))
    assert isinstance(found, Built)
    assert '"cart":{"total_value":150,"items":[{"price":0.1},{"price":1000000000000}]}' in found.request.to_json()


def test_no_null_goes_out_however_deep_in_the_metadata() -> None:
    metadata = {"gone": None, "kept": {"gone": None, "list": [None, 1, {"gone": None}], "no": False, "zero": 0}}
    document, _ = request(stored(customer=REACHABLE, engagement={"metadata": metadata}))
    assert document["engagement"]["metadata"] == {"kept": {"list": [1, {}], "no": False, "zero": 0}}


def test_metadata_that_has_grown_too_large_over_many_events_is_left_out_and_named() -> None:
    fields = stored(customer=REACHABLE)
    for number in range(3):
        chunk = {f"key{number}": "x" * (MAX_METADATA_BYTES - 100)}
        fields |= stored(engagement={"metadata": chunk})
    document, left_out = request(fields)
    assert "metadata" not in document["engagement"]
    assert left_out == ("engagement.metadata",)


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (1_747_176_300_000, "2025-05-13T22:45:00Z"),
        (1_747_176_300_001, "2025-05-13T22:45:00.001Z"),
        (1_747_176_300_999, "2025-05-13T22:45:00.999Z"),
        (1, "1970-01-01T00:00:00.001Z"),
    ],
)
def test_the_time_is_utc_with_milliseconds_only_where_there_are_any(ms: int, written: str) -> None:
    assert timestamp(ms) == written


@given(st.integers(1, 90_000_000_000_000))
def test_the_time_reads_back_to_the_millisecond(ms: int) -> None:
    assert datetime.fromisoformat(timestamp(ms)) == datetime.fromtimestamp(ms // 1000, UTC).replace(
        microsecond=ms % 1000 * 1000
    )


def test_a_number_is_read_with_the_country_or_not_at_all() -> None:
    assert phone_of({"phone": "300 123 4567", "country": "CO"}) == "+573001234567"
    assert phone_of({"phone": "300 123 4567"}) is None
    assert phone_of({}) is None
