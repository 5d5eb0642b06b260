"""The losses of an event with an unreadable part."""

import copy
from typing import Any

import pytest

from detectors.parsing import Parsed, parse, session_in
from tests.support.reading_json import EVENT, PHONE, applied, read


def fields(parsed: Parsed) -> list[str]:
    return [problem.field for problem in parsed.problems]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("occurred_at",), "yesterday"),
        (("flow_stage",), "basket"),
        (("platform",), 7),
        (("previous_session_id",), "x" * 513),
        (("customer",), "Jane"),
        (("customer", "phone_number"), True),
        (("customer", "language"), ["es", "en"]),
        (("customer", "full_name"), {"first": "Jane"}),
        (("cart",), 3),
        (("cart", "items"), "many"),
        (("cart", "items", 0), True),
        (("cart", "items", 0, "sku"), False),
        (("cart", "items", 0, "price"), "1 to 2"),
        (("cart", "items", 0, "quantity"), "1.000"),
        (("cart", "total_value"), "a lot"),
        (("engagement",), [1]),
        (("engagement", "metadata"), "spring"),
        (("expires_at",), "soon"),
        (("order_value",), -3),
        (("currency",), True),
    ],
)
def test_unreadable_part_is_named_and_the_rest_is_kept(path: tuple[Any, ...], value: object) -> None:
    event: Any = copy.deepcopy(EVENT)
    part = event
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    parsed = read(event)
    del part[path[-1]]
    assert fields(parsed) == [".".join(map(str, path))]
    assert applied(parsed).model_dump(exclude_unset=True) == applied(read(event)).model_dump(exclude_unset=True)


def test_all_bad_list_items_are_named_and_the_others_kept() -> None:
    event = copy.deepcopy(EVENT)
    event["cart"]["items"] = [True, {"sku": "kept"}, [1, 2], {"sku": "kept too", "quantity": -1}]
    event["customer"]["email"] = False
    parsed = read(event)
    assert fields(parsed) == ["customer.email", "cart.items.0", "cart.items.2", "cart.items.3.quantity"]
    cart = applied(parsed).cart
    assert cart is not None
    assert [item.sku for item in cart.items or ()] == ["kept", "kept too"]


def test_an_activity_without_its_stage_is_still_a_sign_of_life() -> None:
    parsed = read({"session_id": "s", "type": "activity", "platform": "web", "cart": 3})
    assert fields(parsed) == ["cart", "flow_stage"]
    assert applied(parsed).lacks_stage


def test_a_stage_that_cannot_be_read_is_named_once() -> None:
    assert fields(read({**EVENT, "flow_stage": "basket"})) == ["flow_stage"]


def test_without_a_readable_session_an_activity_is_refused() -> None:
    parsed = read({**EVENT, "session_id": 1.5, "cart": 3})
    assert parsed.event is None
    assert "session_id" in fields(parsed)


@pytest.mark.parametrize("kind", [7, None, "page_view", "opt_in", "order_cancelled", {}, "activities"])
def test_an_unknown_type_is_a_sign_of_life_and_nothing_else(kind: object) -> None:
    event = {name: value for name, value in EVENT.items() if name != "order_value"}
    parsed = read({**event, "type": kind})
    found = applied(parsed).model_dump(exclude_unset=True, exclude={"occurred_at"})
    assert found == {"session_id": "cart-1", "type": "activity"}
    assert fields(parsed) == ["type"]


def test_order_with_unreadable_contact_names_no_person() -> None:
    parsed = read({"type": "order_completed", "customer": {"phone_number": True}})
    assert parsed.event is None
    assert fields(parsed) == ["customer.phone_number", "session_id"]


def test_order_keeps_its_buyer_when_another_field_is_bad() -> None:
    event = applied(read({"type": "order_completed", "customer": {"phone_number": PHONE, "language": True}}))
    assert event.customer is not None
    assert event.customer.phone_number == PHONE


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b'"cut \\ud83d"', "cut \ufffd"),  # a text cut in the middle of an emoji, as JavaScript does
        (b'"\\uDE00 cut"', "\ufffd cut"),
        (b'"\\ud83d\\ud83d\\ude00"', "\ufffd😀"),
        (b'"not \\\\ud83d \\ud83d"', "not \\ud83d \ufffd"),
        ('"José"'.encode("latin-1"), "Jos\ufffd"),
    ],
)
def test_broken_characters_are_replaced_and_the_order_is_kept(raw: bytes, name: str) -> None:
    parsed = parse(b'{"session_id":"s","type":"order_completed","customer":{"full_name":' + raw + b"}}")
    event = applied(parsed)
    assert event.customer is not None
    assert event.customer.full_name == name
    assert [str(problem) for problem in parsed.problems] == [
        "is not plain UTF-8; the characters that could not be read were replaced"
    ]


def test_whole_surrogate_pairs_and_nul_are_nothing_broken() -> None:
    parsed = parse(b'{"session_id":"s","type":"exit","customer":{"full_name":"\\ud83d\\ude00 \\u0000 \\\\ud83d"}}')
    customer = applied(parsed).customer
    assert customer is not None
    assert customer.full_name == "😀 \x00 \\ud83d"
    assert not parsed.problems


def test_a_byte_order_mark_does_not_cost_the_event() -> None:
    parsed = parse(b'\xef\xbb\xbf{"session_id":"s","type":"exit"}')
    assert applied(parsed).session_id == "s"


def test_last_value_of_a_repeated_field_counts() -> None:
    raw = b'{"session_id":"a","session_id":"b","type":"exit"%s}'
    for rest in (b"", b',"cart":3'):
        assert applied(parse(raw % rest)).session_id == "b"


@pytest.mark.parametrize(
    ("raw", "session"),
    [
        (b'{"session_id":"s-1","type":5}', "s-1"),
        (b'{"sessionId":7}', "7"),
        (b'{"session_id":true}', ""),
        (b'{"session_id":{"a":1}}', ""),
        (b'{"session_id":' + b"9" * 5000 + b"}", ""),
        (b'{"session_id":"' + b"x" * 513 + b'"}', ""),
        (b'{"session_id":"s-1"', ""),
        (b"[1]", ""),
        (b"", ""),
    ],
)
def test_session_of_an_unreadable_event_is_read_if_possible(raw: bytes, session: str) -> None:
    assert session_in(raw) == session
