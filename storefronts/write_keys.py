"""Where a request states its write key, and the classes of keys."""

import base64
import binascii
from collections.abc import Iterator
from typing import Literal

from detectors.json_values import JsonValue
from storefronts.delivery import Delivery
from storefronts.values import mapping, text

KeyClass = Literal["public", "server"]
"""`public`: it is in a page that every visitor can read. `server`: only the shop has it."""


def stated_keys(delivery: Delivery, document: JsonValue = None) -> Iterator[str]:
    """Yield the keys that a request has: as user name of Basic, as Bearer, in the URL and in the body."""
    scheme, _, credentials = delivery.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        yield _user_name(credentials)
    elif scheme.lower() == "bearer":
        yield credentials.strip()
    for name in ("writeKey", "access_token", "api_secret"):
        yield delivery.query.get(name, "")
    fields = mapping(document)
    yield text(fields.get("writeKey"))
    rows = fields.get("batch")
    if isinstance(rows, list) and rows:
        yield text(mapping(rows[0]).get("writeKey"))


def _user_name(credentials: str) -> str:
    """Return the user name; some clients leave out the colon after it."""
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[0]
