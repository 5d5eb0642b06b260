"""Consent: only a clear yes is one, null says nothing, anything else is a refusal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.parsing import parse

NO, YES = {"call": False, "whatsapp": False}, {"call": True, "whatsapp": True}


def consent(customer: dict[str, object], **event: object) -> dict[str, Any] | None:
    document = {"session_id": "s", "type": "activity", "flow_stage": "checkout", "platform": "web", **event}
    found = parse(json.dumps({**document, "customer": customer}).encode()).event
    assert found is not None
    if found.customer is None or found.customer.consent is None:
        return None
    return {name: value for name, value in found.customer.consent.model_dump().items() if value is not None}


@pytest.mark.parametrize(
    "answer", [True, "true", "Yes", " GRANTED ", "si", "sí", "sim", "oui", "1", 1, 1.0, "opted_in"]
)
def test_a_clear_yes_is_a_yes(answer: object) -> None:
    assert consent({"consent": {"call": answer}}) == {"call": True}
    assert consent({"consent": answer}) == YES


@pytest.mark.parametrize(
    "answer",
    [
        False,
        "false",
        "no",
        "denied",
        "Revoked",
        "withdrawn",
        0,
        "0",
        -1,
        2,
        "perhaps",
        "pending",
        "none",
        "não",
        "???",
    ],
)
def test_whatever_is_not_clearly_a_yes_is_a_refusal(answer: object) -> None:
    assert consent({"consent": {"call": answer}}) == {"call": False}
    assert consent({"consent": answer}) == NO


@pytest.mark.parametrize("answer", [None, "", " ", "unknown", "undefined", "null", "not_set", "N/A"])
def test_missing_answer_is_ignored(answer: object) -> None:
    assert not consent({"consent": {"call": answer}})
    assert not consent({"consent": answer})


@pytest.mark.parametrize("nothing", [None, [], {}, "", "[]"])
def test_empty_consent_is_ignored(nothing: object) -> None:
    assert not consent({"consent": nothing})


@pytest.mark.parametrize(
    ("customer", "read"),
    [
        ({"consent": {"call": "denied", "whatsapp": "granted"}}, {"call": False, "whatsapp": True}),
        ({"Consent": {"Call": "no"}}, {"call": False}),
        ({"consent": {"phone": False}}, {"call": False}),
        ({"consent": {"phone": True}}, {}),
        ({"consent": {"status": "denied"}}, NO),
        ({"consent": {"status": "granted"}}, {}),
        ({"consent": {"call": {"granted": False}}}, {"call": False}),
        ({"consent": {"call": {"status": "granted"}}}, {"call": True}),
        ({"consent": {"call": {}}}, {"call": False}),
        ({"consent": ["whatsapp"]}, {"call": False, "whatsapp": True}),
        ({"consent": ["sms"]}, NO),
        ({"consent": True, "Consent": "no"}, NO),
        ({"consent": True, "opted_out": True}, NO),
        ({"do_not_call": "yes"}, NO),
        ({"do_not_call": False}, {}),
        ({"consent": '{"call": false}'}, {"call": False}),
        (
            {"consent": {"call": "yes", "given_at": "2026-01-02T03:04:05Z", "source": "checkout"}},
            {"call": True, "given_at": "2026-01-02T03:04:05Z", "source": "checkout"},
        ),
    ],
)
def test_consent_is_read_by_channel_in_other_forms(customer: dict[str, object], read: dict[str, object]) -> None:
    assert (consent(customer) or {}) == read


def test_refusal_next_to_the_customer_counts_consent_does_not() -> None:
    assert consent({"full_name": "Jane"}, consent=False) == NO
    assert consent({"consent": True}, consent={"call": "no"}) == {"call": False, "whatsapp": True}
    assert consent({"full_name": "Jane"}, consent=True) is None


@pytest.mark.parametrize("session", [1.5, "x" * 513, True, {"a": 1}, None])
def test_refusal_without_readable_session_counts_for_its_person(session: object) -> None:
    assert consent({"consent": "no", "email": "jane@example.com"}, session_id=session) == NO


def test_a_refusal_next_to_an_unreadable_customer_counts() -> None:
    event = {"session_id": "s", "type": "activity", "customer": "Jane", "consent": False}
    found = parse(json.dumps(event).encode()).event
    assert found is not None
    assert found.refuses


def test_a_refusal_in_an_event_of_unknown_type_counts() -> None:
    assert consent({"consent": "no", "phone_number": "+573001234567"}, type="consent_updated") == NO


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["call", "whatsapp", "Call", "phone"]), json_values)
def test_nothing_next_to_a_refusal_makes_it_a_yes(name: str, value: object) -> None:
    read = consent({"consent": {"call": False, "whatsapp": "no", name + "_": value, "x": value}})
    assert read is not None
    assert (read["call"], read["whatsapp"]) == (False, False)
