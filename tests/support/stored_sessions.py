"""Stored sessions, and the request of each."""

import json
from collections.abc import Mapping
from typing import Any

from detectors.parsing import parse
from detectors.sequence import Position, position
from detectors.session_fields import fields_of
from tasks.delivery.payload import Built, InvalidContact, build
from winback.simulation.mock_api.contract import check_body

ARRIVAL_MS = 1_747_176_305_000  # 2025-05-13T22:45:05Z


def read(event: Mapping[str, object]) -> tuple[Position, dict[str, str]]:
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert not parsed.problems
    return position(parsed.event, ARRIVAL_MS), fields_of(parsed.event)


def stored(**parts: object) -> dict[str, str]:
    """Return the stored fields of an event with the given parts."""
    return read({"session_id": "s", "type": "exit", **parts})[1]


def built(fields: Mapping[str, str]) -> Built | InvalidContact:
    return build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=ARRIVAL_MS, reason="own_reason")


def request(fields: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """Return the request as a document that was checked against the contract, and the omitted fields."""
    found = built(fields)
    assert isinstance(found, Built)
    document, breaches = check_body(found.request.to_json().encode())
    assert breaches == []
    return document, found.left_out


REACHABLE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}
