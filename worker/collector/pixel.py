"""Events in the URL of a picture, as RudderStack's pixel has them: `/pixel/v1/track?writeKey=...&event=...`."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from pydantic_core import to_json
from starlette.types import Message, Scope

from detectors.json_values import JsonObject

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""A transparent picture of one pixel."""
_MOST_LEVELS = 8


def call_of(query: str, kind: str) -> bytes:
    """Return the call that a query describes. A name with dots, such as `properties.cart_id`, is a field in a field."""
    call: JsonObject = {"type": kind}
    for name, value in parse_qsl(query):
        if name not in {"type", "writeKey"}:
            _put(call, name.split(".", _MOST_LEVELS), value)
    anonymous = call.get("anonymousId")
    if isinstance(anonymous, str):
        call["anonymousId"] = anonymous.removeprefix('"').removesuffix('"')
    return to_json(call)


def _put(call: JsonObject, path: list[str], value: str) -> None:
    *above, name = path
    for step in above:
        below = call.setdefault(step, {})
        if not isinstance(below, dict):
            return
        call = below
    call.setdefault(name, value)


class PixelBody:
    """Gives the call of a picture's URL in place of the body that its request doesn't have."""

    def __init__(self, scope: Scope, kind: str) -> None:
        self._call = call_of(scope["query_string"].decode("latin-1"), kind)

    async def __call__(self) -> Message:
        """Return the whole body."""
        return {"type": "http.request", "body": self._call, "more_body": False}


def pixel_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers without those of a body."""
    return {name: value for name, value in headers.items() if not name.startswith(("content-", "transfer-"))}
