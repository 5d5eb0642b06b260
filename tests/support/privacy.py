"""Privacy requests as shops' tools send them, and what is kept of them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp

from state.keys import Keys
from state.privacy_requests import Filing, PrivacyRequest, PrivacyRequests
from state.scripts import Scripts
from state.visitors import Visitors
from tests.support.collecting import IDENTITY_SECRET, Answer, post
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State

SHOPIFY_SECRET = "secret-of-shopify"
PHONE, EMAIL = "+573001234567", "jane@example.com"
REDACTION: Mapping[str, Any] = {
    "shop_id": 1,
    "customer": {"id": 7, "email": EMAIL, "phone": PHONE},
    "orders_to_redact": [41],
}
DATA_REQUEST: Mapping[str, Any] = {
    "shop_id": 1,
    "customer": {"id": 7, "email": EMAIL, "phone": PHONE},
    "orders_requested": [41],
    "data_request": {"id": 9},
}
SHOP_REDACTION: Mapping[str, Any] = {"shop_id": 1, "shop_domain": "shop-a.myshopify.com"}


def shopify_headers(topic: str, body: bytes, secret: str = SHOPIFY_SECRET) -> dict[str, str]:
    signed = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return {"x-shopify-topic": topic, "x-shopify-hmac-sha256": signed}


def send_shopify(app: ASGIApp, topic: str, document: Mapping[str, Any], secret: str = SHOPIFY_SECRET) -> Answer:
    body = json.dumps(document).encode()
    return post(app, body, shopify_headers(topic, body, secret), path="/shopify/shop-a")


def kept(redis: Any) -> list[PrivacyRequest]:  # noqa: ANN401 - a client
    """Return all open requests on a server."""
    return list(PrivacyRequests(Scripts(redis), Keys(), secret=IDENTITY_SECRET.encode()).open())


def requests_of(state: State) -> PrivacyRequests:
    return PrivacyRequests(state.scripts, state.keys, state.cipher, SECRET)


def ask_for_erasure(state: State, *people: Mapping[str, str], received_ms: int = 0, **more: Sequence[str]) -> str:
    """Keep an erasure, and return its id. `more`: `visitors`, `users` and `ids`."""
    ids: dict[str, Sequence[str]] = {"visitors": (), "users": (), "ids": (), **more}
    names = Visitors(state.scripts, state.keys, SECRET).names(**ids)
    filing = Filing("erasure", "shopify", "shop-a", received_ms or now_ms(state), "", people, names)
    (request,) = requests_of(state).file([filing])
    return request
