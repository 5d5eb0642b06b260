"""Write keys: which one a request has, and of which class it is."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator
from typing import Literal

from detectors.json_values import JsonValue
from storefronts.delivery import Delivery
from storefronts.values import mapping, text

KeyClass = Literal["public", "server"]
"""`public`: it is in a page that every visitor can read. `server`: only the shop has it."""

_LONGEST = 512


def key_class(
    delivery: Delivery, document: JsonValue = None, *, server: Iterable[str], public: Iterable[str]
) -> KeyClass | None:
    """Return the class of the key that a request has; None if it has none that is known.

    `document`: the body, which can hold the key as `writeKey`.
    """
    stated = [*stated_keys(delivery, document)]
    if _is_known(stated, server):
        return "server"
    return "public" if _is_known(stated, public) else None


def stated_keys(delivery: Delivery, document: JsonValue = None) -> Iterator[str]:
    """Yield the keys that a request has: as user name of Basic, as Bearer, in the URL and in the body."""
    scheme, _, credentials = delivery.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        yield _user_name(credentials)
    elif scheme.lower() == "bearer":
        yield credentials.strip()
    for name in ("writeKey", "access_token"):
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


def _is_known(stated: Iterable[str], keys: Iterable[str]) -> bool:
    """Compare every stated key with every known one, in constant time."""
    known = [key.encode() for key in keys if key.strip()]
    given = [one.encode(errors="replace") for one in stated if 0 < len(one) <= _LONGEST]
    return True in [hmac.compare_digest(one, key) for one in given for key in known]
