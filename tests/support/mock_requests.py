"""Requests to the mock API, as its tests send them: real bytes over real connections."""

import copy
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from winback.simulation.mock_api.process import MockServer

KEYS: dict[str, Any] = {"public_api_key": "public-fictitious", "private_secret_key": "private-fictitious"}

SEED: dict[str, Any] = {
    "customer": {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
    },
    "session": {
        "abandonment_timestamp": "2025-05-13T22:45:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": "sess_abc123xyz",
    },
    "cart": {
        "total_value": 149.99,
        "currency": "COP",
        "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
    },
    "engagement": {
        "preferred_channel": "auto",
        "reason": "user_abandoned_checkout",
        "metadata": {"utm_campaign": "spring_sale", "last_clicked_button": "Proceed to Payment"},
    },
}

GONE = object()
"""As a value in `changed`: leave out the field."""


IMPATIENT = httpx.Timeout(10, read=0.2)
"""Long enough to send a request, too short for a delayed answer."""


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the seed request with one change, named like `cart.items.0.price`."""
    body = copy.deepcopy(SEED)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = body
    for parent in parents:
        target = target[parent]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return body


def numbered(number: int) -> dict[str, Any]:
    """Return a request of a different shopper and session for each number below 10,000."""
    body = changed("session.session_id", f"sess_{number}")
    body["customer"]["phone_number"] = f"+57300123{number:04}"
    return body


def new_key() -> str:
    return str(uuid.uuid4())


def headers(key: str | None = None) -> dict[str, str]:
    return {
        "public-api-key": KEYS["public_api_key"],
        "private-secret-key": KEYS["private_secret_key"],
        "X-Idempotency-Key": key or new_key(),
        "Content-Type": "application/json",
    }


def send(
    server: MockServer,
    body: object = SEED,
    *,
    key: str | None = None,
    edit: Callable[[dict[str, str]], object] | None = None,
    path: str = "/ai-caller-ms/recovery-payment/external",
) -> httpx.Response:
    """POST a body (bytes unchanged, anything else as JSON) on its own connection."""
    sent = headers(key)
    if edit is not None:
        edit(sent)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(server.url + path, content=content, headers=sent, timeout=10)


def error(code: str, *messages: str) -> Mapping[str, object]:
    return {"code": code, "messages": list(messages)}


def eventually(condition: Callable[[], bool], *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
