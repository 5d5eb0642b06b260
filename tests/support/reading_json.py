"""Events, read from JSON."""

import json
from typing import Any

from detectors.activity import ActivityEvent
from detectors.parsing import Parsed, parse

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


def applied(parsed: Parsed) -> ActivityEvent:
    assert parsed.event is not None
    return parsed.event
