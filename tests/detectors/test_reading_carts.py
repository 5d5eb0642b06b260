"""Carts and amounts in any form."""

import json

import pytest

from tests.support.saying import ACTIVITY, event_of, read


@pytest.mark.parametrize(
    "cart",
    [
        *([], {}, None, "", "[]", "{}", False, 0, {"items": []}, {"items": {}}, {"Items": []}, {"items": "[]"}),
        *({"total_value": 0}, {"total_value": "0,00", "currency": "COP"}, {"items": [{"sku": "a", "quantity": "0"}]}),
        *({"products": []}, {"item_count": 0}, {"items": [None]}),
    ],
)
def test_an_emptied_cart_is_read_in_any_form(cart: object) -> None:
    for event in (ACTIVITY, {**ACTIVITY, "type": "page_view"}, {**ACTIVITY, "type": "exit"}):
        found = event_of({**event, "cart": cart})
        assert "cart" in found.model_fields_set
        assert found.cart is None or found.cart.is_empty
    assert event_of({**ACTIVITY, "Cart": cart}).model_fields_set >= {"cart"}


@pytest.mark.parametrize(
    ("cart", "items"),
    [
        ({"items": [{"name": "A", "quantity": "2", "price": "149.900"}], "currency": "COP"}, [("A", 2, 149_900.0)]),
        ({"items": {"0": {"name": "A"}, "2": {"name": "B"}}}, [("A", None, None), ("B", None, None)]),
        ({"items": {"name": "A", "quantity": 1.0}}, [("A", 1, None)]),
        ([{"name": "A"}], [("A", None, None)]),
        ({"items": ["A", {"name": 5}]}, [("A", None, None), ("5", None, None)]),
        (json.dumps({"items": [{"name": "A"}]}), [("A", None, None)]),
    ],
)
def test_a_cart_is_read_with_values_of_other_types(cart: object, items: list[tuple[object, ...]]) -> None:
    parsed = read({**ACTIVITY, "cart": cart})
    assert parsed.event is not None
    assert parsed.event.cart is not None
    assert [(item.name, item.quantity, item.price) for item in parsed.event.cart.items or ()] == items
    assert not parsed.problems


def test_an_amount_with_two_readings_is_left_out_and_reported() -> None:
    parsed = read({**ACTIVITY, "cart": {"total_value": "1.234", "currency": "EUR", "items": [{"name": "A"}]}})
    assert parsed.event is not None
    assert parsed.event.cart is not None
    assert (parsed.event.cart.total_value, len(parsed.event.cart.items or ())) == (None, 1)
    assert [problem.field for problem in parsed.problems] == ["cart.total_value"]


def test_an_order_value_is_read_in_the_currency_of_its_cart() -> None:
    order = {"type": "order_completed", "session_id": "s", "order_value": "149.900", "cart": {"currency": "COP"}}
    assert event_of(order).order_value == 149_900
