import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.activity import MAX_EVENT_BYTES, OPTIONAL_PARTS, ActivityEvent
from detectors.activity_fields import SESSION_ID_FORM
from detectors.parsing import Parsed, parse, unknown_fields

NAME, PHONE, EMAIL = "Zuleyka Quintanilla", "+573009876543", "zuleyka@private.example"
EVENT: dict[str, Any] = {
    "session_id": "cart-1",
    "type": "activity",
    "occurred_at": "2025-05-13T22:40:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "previous_session_id": "cart-0",
    "customer": {"full_name": NAME, "phone_number": PHONE, "email": EMAIL, "country_code": "CO", "language": "es"},
    "cart": {"total_value": 20.5, "currency": "COP", "items": [{"name": "A", "sku": "1", "quantity": 2, "price": 10}]},
    "engagement": {"preferred_channel": "auto", "reason": "r", "metadata": {"utm": "spring"}},
    "expires_at": "2025-05-14T22:40:00Z",
    "order_value": 20.5,
    "currency": "COP",
}


def read(event: object) -> Parsed:
    return parse(json.dumps(event).encode())


def fields(parsed: Parsed) -> list[str]:
    return [problem.field for problem in parsed.problems]


def applied(parsed: Parsed) -> ActivityEvent:
    assert parsed.event is not None
    return parsed.event


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))  # half surrogates and NUL too
    | st.sampled_from(["", "checkout", "web", "activity", "order_completed", 10**400, -(10**4000), 1e308, "\x00"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


WORDS: list[tuple[dict[str, object], str]] = [
    ({"session_id": "x" * 513}, f"must be {SESSION_ID_FORM}"),
    ({"session_id": 1.5}, f"must be {SESSION_ID_FORM}"),
    ({"platform": "tv"}, "must be 'web', 'ios' or 'android'"),
    ({"occurred_at": "yesterday"}, "must be a moment in ISO 8601, like 2026-11-22T16:40:00Z"),
    ({"order_value": "much"}, "can be read as more than one amount, or as none"),
    ({"order_value": -1}, "must be at least 0"),
    ({"order_value": 1e13}, "must be at most 1,000,000,000,000"),
    ({"order_value": {}, "currency": 7.5, "cart": 3}, "must be a JSON object"),
    ({"customer": 7}, "must be a JSON object"),
    ({"customer": {"phone_number": "1" * 257}}, "is longer than 256 characters"),
    ({"customer": {"full_name": {}}}, "must be text"),
    ({"cart": {"items": 7}}, "must be a JSON list"),
    ({"cart": {"items": [{}] * 201}}, "has more than 200 entries"),
    ({"cart": {"items": [{"quantity": 1.5}]}}, "must be a whole number"),
    ({"engagement": {"metadata": 5}}, "must be a JSON object"),
    ({"type": "click"}, "names no type of event; it was read as a sign of life of its session"),
]


@pytest.mark.parametrize(("change", "words"), WORDS)
def test_what_is_wrong_is_said_in_plain_words(change: dict[str, object], words: str) -> None:
    (problem,) = read({**EVENT, **change}).problems
    assert problem.message == words


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.event is not None or parsed.problems


@given(st.sampled_from(sorted(EVENT)), json_values)
def test_no_problem_is_told_in_the_words_of_a_library(field: str, value: object) -> None:
    for problem in read({**EVENT, field: value}).problems:
        assert " should " not in problem.message
        assert "pydantic" not in problem.message


@given(json_values)
def test_no_json_makes_it_raise(value: object) -> None:
    parsed = read(value)
    assert parsed.event is not None or parsed.problems


def places(value: object, path: tuple[int | str, ...] = ()) -> list[tuple[int | str, ...]]:
    inner: list[tuple[int | str, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    if isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))][bool(not path) :]


@given(st.dictionaries(st.sampled_from(places(EVENT)), json_values, min_size=1, max_size=4))
@settings(max_examples=300)
def test_whatever_stands_in_a_field_it_is_read_without_raising(changes: dict[tuple[int | str, ...], object]) -> None:
    event: Any = copy.deepcopy(EVENT)
    for path, value in sorted(changes.items(), key=lambda change: -len(change[0])):
        part = event
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    parsed = read(event)
    assert parsed.event is not None or parsed.problems
    if all(path[0] in OPTIONAL_PARTS for path in changes):
        # A bad part never costs the event.
        assert applied(parsed).session_id == "cart-1"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\x00",
        b"\xff" * 100,
        b"\xef\xbb\xbf" * 20_000,
        b"NaN",
        b"9" * 60_000,
        b'"' + b"\\ud800" * 9_000 + b'"',
        b'{"session_id":"a","type":"exit","order_value":' + b"1" * 10_000 + b"}",
        b'{"session_id":"a","type":"exit"} trailing',
        b'{"session_id":"a","type":"exit",}',
    ],
)
def test_what_is_no_json_object_is_refused_in_one_line(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.event is None
    assert [str(problem) for problem in parsed.problems][-1] in {"is not valid JSON", "is not a JSON object"}


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"7", b"true", b"[{}, {}]"])
def test_json_that_is_no_object_is_refused_as_such(raw: bytes) -> None:
    assert [str(problem) for problem in parse(raw).problems] == ["is not a JSON object"]


def test_an_oversized_event_is_not_even_looked_at() -> None:
    parsed = parse(b"\xff" * 50_000_000)
    assert [str(problem) for problem in parsed.problems] == [
        f"the event has 50000000 bytes, more than {MAX_EVENT_BYTES}"
    ]


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
def test_a_part_that_cannot_be_read_is_named_and_costs_nothing_else(path: tuple[Any, ...], value: object) -> None:
    event: Any = copy.deepcopy(EVENT)
    part = event
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    parsed = read(event)
    del part[path[-1]]
    assert fields(parsed) == [".".join(map(str, path))]
    assert applied(parsed).model_dump(exclude_unset=True) == applied(read(event)).model_dump(exclude_unset=True)


def test_several_bad_parts_are_all_named_and_the_rest_of_each_list_stays() -> None:
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


def test_an_order_whose_contact_cannot_be_read_names_nobody() -> None:
    parsed = read({"type": "order_completed", "customer": {"phone_number": True}})
    assert parsed.event is None
    assert fields(parsed) == ["customer.phone_number", ""]


def test_an_order_keeps_its_buyer_though_another_field_of_them_is_bad() -> None:
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
def test_broken_characters_are_replaced_and_cost_nobody_their_order(raw: bytes, name: str) -> None:
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


def test_of_a_field_named_twice_the_last_counts_also_when_another_is_bad() -> None:
    raw = b'{"session_id":"a","session_id":"b","type":"exit"%s}'
    for rest in (b"", b',"cart":3'):
        assert applied(parse(raw % rest)).session_id == "b"


personal = st.sampled_from([NAME, PHONE, EMAIL, PHONE.removeprefix("+"), f"{NAME} {PHONE}"])


@given(
    st.dictionaries(
        st.sampled_from(places(EVENT)), personal | st.lists(personal) | st.dictionaries(personal, personal), min_size=1
    ),
    st.integers(0, 3),
)
@settings(max_examples=300)
def test_problems_never_hold_what_the_event_said(changes: dict[tuple[int | str, ...], Any], cut: int) -> None:
    event: Any = copy.deepcopy(EVENT)
    for path, value in sorted(changes.items(), key=lambda change: -len(change[0])):
        part = event
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    raw = json.dumps(event).encode()
    for parsed in (parse(raw), parse(raw[: len(raw) - cut])):
        said = " ".join(map(str, parsed.problems))
        assert not any(secret in said for secret in (*NAME.split(), PHONE.removeprefix("+"), "zuleyka", "private"))


@pytest.mark.parametrize(
    ("document", "unknown"),
    [
        (EVENT, []),
        ({"sesion_id": "s", "type": "exit"}, ["sesion_id"]),
        ({"sessionId": "s", "Type": "exit", "customer": {"PhoneNumber": "1"}}, []),
        ({"customer": {"phone": "1", "consent": {"sms": True}}}, ["customer.phone", "customer.consent.sms"]),
        ({"cart": {"items": [{"sku": "1"}, {"qty": 1}, 7]}}, ["cart.items.qty"]),
        ({"engagement": {"metadata": {"anything": {"goes": 1}}}}, []),
        ({"customer": None, "cart": "text", "engagement": [[]]}, []),
        ([], []),
        (None, []),
    ],
)
def test_a_misspelt_field_can_be_pointed_out(document: object, unknown: list[str]) -> None:
    assert list(unknown_fields(document)) == unknown
