"""The documented example of an event, and variations of it."""

import copy
import json
from typing import Any

from detectors.parsing import parse

SEED: dict[str, Any] = {
    "session_id": "sess_abc123xyz",
    "type": "activity",
    "occurred_at": "2025-05-13T22:40:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
        "consent": {"call": True, "whatsapp": True},
    },
    "cart": {
        "total_value": 149.99,
        "currency": "COP",
        "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
    },
    "engagement": {"preferred_channel": "auto", "metadata": {"utm_campaign": "spring_sale"}},
}
GONE = object()


def seed(path: str = "", value: object = GONE, **changes: object) -> dict[str, Any]:
    """Return the documented example, with the field at a dotted path set to a value, or left out."""
    event = copy.deepcopy(SEED)
    for dotted, new in {**({path: value} if path else {}), **changes}.items():
        *parents, last = dotted.split(".")
        part: Any = event
        for parent in parents:
            part = part[int(parent)] if isinstance(part, list) else part[parent]
        if new is GONE:
            del part[last]
        else:
            part[last] = new
    return event


def is_read_without_a_problem(event: object) -> bool:
    parsed = parse(json.dumps(event).encode())
    return parsed.event is not None and not parsed.problems
