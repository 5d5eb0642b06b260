"""The values of the request: omitted fields, numbers, metadata and times."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.activity import MAX_METADATA_BYTES
from tasks.delivery.payload import Built, phone_of, timestamp
from tests.support.stored_sessions import REACHABLE, built, request, stored


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"customer": {**REACHABLE, "email": "jane@"}}, "customer.email"),
        ({"customer": {**REACHABLE, "language": "Elvish"}}, "customer.language"),
        ({"customer": REACHABLE, "cart": {"currency": "gold coins"}}, "cart.currency"),
        ({"customer": REACHABLE, "engagement": {"preferred_channel": "pigeon"}}, "engagement.preferred_channel"),
    ],
)
def test_invalid_optional_field_is_left_out_and_named(parts: dict[str, object], named: str) -> None:
    document, left_out = request(stored(**parts))
    assert left_out == (named,)
    without, nothing = request(stored(customer=REACHABLE))
    assert document == without
    assert nothing == ()


def test_loose_input_is_sent_as_the_contract_requires() -> None:
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


def test_empty_items_are_not_sent() -> None:
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


def test_oversized_metadata_is_left_out_and_named() -> None:
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
def test_time_is_utc_with_milliseconds_only_if_any(ms: int, written: str) -> None:
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
