"""Mangled stop signals are still read, and mangled activities name no other person."""

import json
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from detectors.activity import ActivityEvent
from detectors.flow import PLATFORMS, STAGES
from detectors.parsing import parse, unknown_fields
from detectors.reading.names import TYPES, event_type, squash

SESSION, PHONE, EMAIL = "cart-1", "+573001234567", "jane.doe@example.com"
PHONES = [PHONE, 573001234567, 573001234567.0, [PHONE]]
STAGE_WORDS = {"flow_stage": "checkout", "platform": "web"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
odd_times = st.sampled_from(
    [
        None,
        "",
        "20261126103000Z",
        "2026-11-26",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
    ]
) | st.one_of(st.integers(), st.floats(), st.text(max_size=12))


@st.composite
def in_another_spelling(draw: st.DrawFn, name: str) -> str:
    """Draw a name in another case, with other punctuation, and spaces around it."""
    words = name.split("_")
    sign = draw(st.sampled_from(["_", "-", " ", "", ".", "/"]))
    how = draw(st.sampled_from([str.lower, str.upper, str.title, str.capitalize]))
    words = [how(word) for word in words]
    if draw(st.booleans()):
        words[0] = words[0].lower()
    return draw(st.sampled_from(["", " "])) + sign.join(words) + draw(st.sampled_from(["", " ", "\n"]))


@st.composite
def misspelt(draw: st.DrawFn, word: str) -> str:
    """Draw a word with one wrong letter."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    return draw(
        st.sampled_from(
            [word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:]]
        )
    )


@st.composite
def wrapped(draw: st.DrawFn, event: dict[str, Any]) -> bytes:
    """Draw an event as JSON: encoded twice, in a list or in an envelope."""
    document: object = event
    match draw(st.sampled_from(["plain", "plain", "text", "list", "envelope", "mark"])):
        case "text":
            document = json.dumps(event)
        case "list":
            document = [event]
        case "envelope":
            document = {draw(st.sampled_from(["event", "data", "payload"])): event}
        case "mark":
            return b"\xef\xbb\xbf" + json.dumps(event).encode()
    return json.dumps(document).encode()


parts = st.fixed_dictionaries(
    {},
    optional={
        "occurred_at": odd_times,
        "expires_at": odd_times,
        "cart": json_values,
        "engagement": json_values,
        "order_value": json_values,
        "currency": json_values,
        "flow_stage": json_values,
        "platform": json_values,
        "previous_session_id": json_values,
        "something_else": json_values,
    },
)


@st.composite
def named(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw the mangled person or cart of a signal, and the expected reading."""
    event: dict[str, Any] = {}
    right: dict[str, Any] = {}
    key = in_another_spelling
    if draw(st.booleans()):
        session = draw(st.sampled_from([SESSION, 10045, -7, 10**30, "two words", "{x}", 77.0]))
        event[draw(key("session_id")).strip()] = session
        right["session"] = str(int(session)) if isinstance(session, float) else str(session)
    else:
        event |= draw(st.sampled_from([{}, {"session_id": None}, {"session_id": ""}, {"session_id": []}]))
    customer: dict[str, Any] = {}
    if draw(st.booleans()):
        customer[draw(key("phone_number")).strip()] = draw(
            st.sampled_from([PHONE, 573001234567, 573001234567.0, [PHONE]])
        )
        right["phone"] = PHONE
    if draw(st.booleans()):
        customer[draw(key("email")).strip()] = draw(st.sampled_from([EMAIL, f" {EMAIL} "]))
        right["email"] = EMAIL
    for name in draw(st.sets(st.sampled_from(["full_name", "country_code", "language", "consent", "other"]))):
        customer[name] = draw(json_values)
    assume(right)
    if customer or draw(st.sampled_from([True, False])):
        forms: list[object] = [customer, json.dumps(customer), [customer]] if customer else [{}, [], None]
        event[draw(key("customer")).strip()] = draw(st.sampled_from(forms))
    return event, right


def names(event: ActivityEvent, right: dict[str, str]) -> bool:
    """Return whether an event names the expected person or cart."""
    customer = event.customer
    phone = (customer and customer.phone_number) or ""
    email = (customer and customer.email) or ""
    return (
        event.session_id == right.get("session", event.session_id)
        and phone.lstrip("+") == right.get("phone", phone).lstrip("+")
        and email == right.get("email", email)
    )


@given(st.data(), named(), parts)
@settings(max_examples=400)
def test_a_mangled_order_or_opt_out_is_always_read(
    data: st.DataObject, who: tuple[dict[str, Any], dict[str, str]], more: dict[str, Any]
) -> None:
    kind = data.draw(st.sampled_from(["order_completed", "opt_out"]))
    written = data.draw(in_another_spelling(kind) | misspelt(kind) | st.sampled_from([kind, [kind]]))
    event, right = who
    raw = data.draw(wrapped({**more, **event, data.draw(st.sampled_from(["type", "Type", "TYPE"])): written}))
    found = parse(raw).event
    assert found is not None
    assert found.type == kind
    assert names(found, right)


KINDS = st.sampled_from(["activity", "exit", "page_view", "", None, 7, "payment_pending"])
refusals = st.sampled_from(
    [False, "false", "no", "denied", "Revoked", 0, "0", "nein", "withdrawn", {"status": "denied"}]
)


@given(st.data(), refusals, parts, KINDS)
@settings(max_examples=300)
def test_a_mangled_refusal_is_always_read(
    data: st.DataObject, refusal: object, more: dict[str, Any], kind: object
) -> None:
    key = data.draw(st.sampled_from(["consent", "Consent", "CONSENT"]))
    channel = data.draw(st.sampled_from(["call", "Call", "phone"]))
    said: dict[str, object] = data.draw(st.sampled_from([{key: refusal}, {key: {channel: refusal, "sms": True}}]))
    customer: dict[str, object] = {**said, "full_name": data.draw(json_values)}
    found = parse(json.dumps({**more, "session_id": SESSION, "type": kind, "customer": customer}).encode()).event
    assert found is not None
    assert found.customer is not None
    assert found.customer.consent is not None
    assert found.customer.consent.call is False
    assert found.refuses


@given(st.data(), parts, st.text(max_size=16) | json_values)
@settings(max_examples=300)
def test_a_mangled_activity_names_no_other_person(data: st.DataObject, more: dict[str, Any], kind: object) -> None:
    other = data.draw(st.sampled_from(["+15550001111", {"phone": "+15550001111"}]))
    others: dict[str, object] = dict.fromkeys(("phone", "user", "shipping"), other)
    customer = {"phone_number": PHONE, "mobile": "+15550001111"}
    event = {**more, **others, "session_id": SESSION, "type": kind, "customer": customer}
    found = parse(json.dumps(event).encode()).event
    assert found is not None
    assert found.session_id == SESSION
    assert found.customer is None or found.customer.phone_number in {None, PHONE}
    if not (isinstance(kind, str) and squash(kind) == "activity") and found.type == "activity":
        assert found.lacks_stage


@given(json_values, st.sampled_from(["flow_stage", "platform"]))
def test_only_a_known_stage_and_platform_place_an_activity(value: object, field: str) -> None:
    event = {"session_id": SESSION, "type": "activity", **STAGE_WORDS, field: value}
    found = parse(json.dumps(event).encode()).event
    assert found is not None
    known = isinstance(value, str) and squash(value) in map(squash, (*STAGES, *PLATFORMS))
    assert found.lacks_stage or known or isinstance(value, list)


@given(json_values)
@example([[[[]]]])
@example({"type": {"type": {"type": 1}}})
@example({"session_id": 10**600, "type": "order_completed", "order_value": 10**400})
def test_no_document_makes_the_lenient_reader_raise(document: object) -> None:
    raw = json.dumps(document).encode()
    parsed = parse(raw)
    assert parsed.event is not None or parsed.problems
    assert isinstance(list(unknown_fields(document)), list)


def test_no_synonym_is_close_to_one_of_another_type() -> None:
    assert {name: event_type(name) for name in TYPES} == dict(TYPES)
    for name in ("optin", "subscribe", "resubscribe", "ordercancelled", "orderrefunded", "orderfailed", "addtocart"):
        assert event_type(name) is None
