import json
from collections.abc import Mapping

import pytest

from detectors.parsing import parse
from detectors.sequence import Position, position
from detectors.session_fields import cart_of, fields_of, is_bot, metadata_of, was_emptied

ARRIVAL_MS = 1_747_176_305_000  # 2025-05-13T22:45:05Z


def read(event: Mapping[str, object]) -> tuple[Position, dict[str, str]]:
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert not parsed.problems
    return position(parsed.event, ARRIVAL_MS), fields_of(parsed.event)


def stored(**parts: object) -> dict[str, str]:
    """Return the stored fields of an event with the given parts."""
    return read({"session_id": "s", "type": "exit", **parts})[1]


def test_each_field_is_kept_by_itself_and_null_clears_it() -> None:
    assert stored(customer={"full_name": "Jane", "email": None}) == {"name": "Jane", "email": ""}
    assert stored(customer={}) == stored(customer=None) == stored() == {}


def test_consent_is_kept_per_channel_and_null_is_no_answer() -> None:
    assert stored(customer={"consent": {"call": False}}) == {"consent.call": "false"}
    assert stored(customer={"consent": {"call": True, "whatsapp": None}}) == {"consent.call": "true"}
    assert stored(customer={"full_name": None, "consent": {"call": None, "source": None}}) == {"name": ""}
    assert stored(customer={"consent": None}) == {}


@pytest.mark.parametrize(
    ("said", "bot"),
    [
        (True, True),
        ("yes", True),
        (1, True),
        ("Googlebot", True),
        (False, False),
        ("no", False),
        (0, False),
        (None, False),
    ],
)
def test_shop_can_mark_a_session_as_a_bot(*, said: object, bot: bool) -> None:
    assert is_bot(stored(engagement={"metadata": {"bot": said}})) is bot


def test_session_is_a_bot_only_when_marked_or_detected() -> None:
    assert not is_bot({})
    assert is_bot({"bot": "1"})


@pytest.mark.parametrize(
    "emptied",
    [
        None,
        {},
        {"items": []},
        {"total_value": 10, "items": []},
        {"total_value": 0},
        {"total_value": 0.0, "currency": "COP", "items": [{"name": "A", "quantity": 1, "price": 10}]},
        {"items": [{"name": "A", "quantity": 0}]},
        {"total_value": 10, "items": [{"name": "A", "quantity": 0}, {"sku": "B", "quantity": 0}]},
    ],
)
def test_a_cart_that_holds_nothing_is_emptied(emptied: object) -> None:
    assert was_emptied(stored(cart=emptied))
    assert cart_of(stored(cart=emptied)) is None


def test_a_cart_that_never_came_was_not_emptied() -> None:
    assert not was_emptied(stored())
    assert cart_of(stored()) is None
    assert cart_of(stored(cart={"total_value": 3})) is not None


def test_a_line_of_nothing_is_left_out_of_the_cart() -> None:
    lines = [{"name": "A", "quantity": 0}, {"name": "B"}, {"name": "C", "quantity": 2}]
    cart = cart_of(stored(cart={"total_value": 3, "items": lines}))
    assert cart is not None
    assert [item.name for item in cart.items or ()] == ["B", "C"]


@pytest.mark.parametrize("cart", [{"currency": "COP"}, {"total_value": 0.01}, {"items": [{"quantity": 1}]}])
def test_sparse_cart_is_still_a_cart(cart: object) -> None:
    assert cart_of(stored(cart=cart)) is not None


def test_metadata_is_kept_per_key_whatever_the_key_is_called() -> None:
    metadata = {"": 1, "name": "x", "state": {"a": [1]}, "meta.": "y", "é\n": None}
    assert metadata_of(stored(engagement={"metadata": metadata})) == {
        "": 1,
        "name": "x",
        "state": {"a": [1]},
        "meta.": "y",
    }
