import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import parsing
from detectors.activity import MAX_EVENT_BYTES, OPTIONAL_PARTS
from detectors.activity_fields import SESSION_ID_FORM
from detectors.parsing import parse, unknown_fields
from tests.support.reading_json import EMAIL, EVENT, NAME, PHONE, applied, read

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
TYPES = "activity, exit, payment_declined, payment_pending, order_completed, opt_out"
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
    ({"type": "click"}, f"names no type of event ({TYPES}); it was read as activity of its session"),
]


@pytest.mark.parametrize(("change", "words"), WORDS)
def test_validation_messages_are_plain(change: dict[str, object], words: str) -> None:
    (problem,) = read({**EVENT, **change}).problems
    assert problem.message == words


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed.event is not None or parsed.problems


@given(st.sampled_from(sorted(EVENT)), json_values)
def test_no_problem_uses_a_library_message(field: str, value: object) -> None:
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
def test_any_field_value_is_read_without_raising(changes: dict[tuple[int | str, ...], object]) -> None:
    event: Any = copy.deepcopy(EVENT)
    for path, value in sorted(changes.items(), key=lambda change: -len(change[0])):
        part = event
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    parsed = read(event)
    assert parsed.event is not None or parsed.problems
    if all(path[0] in OPTIONAL_PARTS for path in changes):
        # An event survives each bad part.
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


def test_oversized_event_is_not_parsed() -> None:
    parsed = parse(b"\xff" * 50_000_000)
    assert [str(problem) for problem in parsed.problems] == [
        f"the event has 50000000 bytes, more than {MAX_EVENT_BYTES}"
    ]


personal = st.sampled_from([NAME, PHONE, EMAIL, PHONE.removeprefix("+"), f"{NAME} {PHONE}"])


@given(
    st.dictionaries(
        st.sampled_from(places(EVENT)), personal | st.lists(personal) | st.dictionaries(personal, personal), min_size=1
    ),
    st.integers(0, 3),
)
@settings(max_examples=300)
def test_problems_contain_no_event_text(changes: dict[tuple[int | str, ...], Any], cut: int) -> None:
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


@pytest.mark.parametrize("end", ["", "\\", "\\\n"])
def test_text_without_an_end_is_searched_once(end: str) -> None:
    """Each quote in it once began a search of its own: 60 kB of them took 9 s."""
    broken = '{"a":"' + '\\"' * 1000 + end
    assert [match.span() for match in parsing._TRAILING_COMMA.finditer(broken)] == [(1, 4), (5, len(broken))]
