"""The JSON Schema for shops agrees with the model."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from detectors.activity import ActivityEvent
from detectors.activity_schema import json_schema
from tests.support.seed_event import SEED, is_read_without_a_problem, seed

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def allowed() -> Callable[[object], bool]:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    formats = FormatChecker(())
    formats.checks("date-time")(lambda value: not isinstance(value, str) or RFC_3339.fullmatch(value) is not None)
    return Draft202012Validator(schema, format_checker=formats).is_valid


BARE: dict[str, Any] = {"session_id": "s", "type": "exit"}
PHONE: dict[str, Any] = {"customer": {"phone_number": "+573001234567"}}
EXAMPLES: list[object] = [
    SEED,
    BARE,
    seed("occurred_at"),
    seed("occurred_at", "2025-05-13T22:40:00.123-05:00"),
    seed("occurred_at", "yesterday"),
    seed("occurred_at", None),
    seed("session_id"),
    seed("session_id", None),
    seed("session_id", "two words"),
    seed("session_id", "x" * 512),
    seed("session_id", "x" * 513),
    seed("session_id", " "),
    seed("session_id", 10**40),
    seed("session_id", 1.5),
    seed("session_id", 7),
    seed("type"),
    seed("type", "click"),
    seed("type", None),
    seed("flow_stage"),
    seed("flow_stage", None),
    seed("flow_stage", "basket"),
    seed("platform"),
    seed("customer", None),
    seed("customer", {}),
    seed("customer", "Jane"),
    seed("customer.full_name", None),
    seed("customer.consent", None),
    seed("customer.consent", {"call": False}),
    seed("customer.something_else", 1),
    seed("cart", None),
    seed("cart.items", []),
    seed("cart.items", None),
    seed("cart.items", [{}] * 200),
    seed("cart.items", [{}] * 201),
    seed("cart.items.0.quantity", -1),
    seed("cart.items.0.quantity", 1.5),
    seed("cart.items.0.price", -1),
    seed("cart.total_value", 0),
    seed("cart.total_value", 1e13),
    seed("cart.total_value", "many"),
    seed("engagement.metadata", {"deep": {"er": [1, None]}}),
    seed("engagement.metadata", "utm"),
    seed("previous_session_id", "old"),
    seed("previous_session_id", "old one"),
    {**BARE, "session_id": None},
    {"type": "exit"},
    {"type": "exit", **PHONE},
    {"type": "payment_pending", **PHONE},
    {**BARE, "type": "payment_pending", "expires_at": "2025-05-14T00:00:00Z"},
    {**BARE, "type": "payment_pending", "expires_at": "soon"},
    {**BARE, "type": "order_completed", "order_value": 10, "currency": "COP"},
    {**BARE, "type": "order_completed", "order_value": -10},
    {"type": "order_completed", **PHONE},
    {"type": "order_completed", "session_id": None, **PHONE},
    {"type": "order_completed", "customer": {"email": "jane.doe@example.com"}},
    {"type": "opt_out", "customer": {"email": " ", "phone_number": None}},
    {"type": "payment_pending", "session_id": "a", "cart_ids": ["b", 7]},
    {"type": "order_completed"},
    {"type": "order_completed", "session_id": None},
    {"type": "order_completed", "customer": None},
    {"type": "order_completed", "customer": {"phone_number": ""}},
    {"type": "opt_out", **PHONE},
    {"type": "opt_out", "customer": {"full_name": "Jane"}},
    {},
    [],
    [SEED],
    None,
    "event",
    7,
]


@pytest.mark.parametrize("event", EXAMPLES, ids=range(len(EXAMPLES)))
def test_json_schema_allows_exactly_what_is_read_cleanly(allowed: Callable[[object], bool], event: object) -> None:
    assert allowed(event) == is_read_without_a_problem(event)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("platform", "Web"),
        ("flow_stage", "Cart-Review"),
        ("customer.full_name", 7),
        ("customer.full_name", "x" * 257),
        ("customer.consent", []),
        ("cart", []),
        ("cart.items", {}),
        ("engagement.metadata", []),
        ("occurred_at", 1747176000),
        ("occurred_at", 1747176000123),
        ("occurred_at", "2025-05-13 22:40:00"),
        ("cart.total_value", "149.99"),
        ("cart.items.0.quantity", "1"),
        ("customer.consent", {"call": "yes"}),
        ("customer.full_name", f" {'x' * 256} "),
    ],
)
def test_common_variants_are_read_beyond_the_schema(
    allowed: Callable[[object], bool], path: str, value: object
) -> None:
    assert is_read_without_a_problem(seed(path, value))
    assert not allowed(seed(path, value))


def test_the_schema_names_its_draft_and_describes_its_fields() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == set(ActivityEvent.model_fields) - {"also_named"}
    assert "device id" in schema["properties"]["session_id"]["description"]
