"""JSON as shops send it, read so that one unreadable item of a batch costs only itself."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic_core import from_json

from detectors.json_values import JsonValue
from detectors.reading.broken_text import readable

NO_JSON = "is not valid JSON"
NO_OBJECT = "is not a JSON object"

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[][{},]', re.DOTALL)
"""A text, also one without its end, or a sign that matters for where an item ends."""
_AFTER_KEY = re.compile(rb"\s*:\s*\[")


class Item(NamedTuple):
    """An item of a body: its document, or None and why there is none."""

    document: JsonValue
    problem: str = ""


class Batch(NamedTuple):
    """A body that holds a list: the fields around it, and the items."""

    outer: dict[str, JsonValue]
    items: list[Item]


def load(raw: bytes) -> JsonValue:
    """Return the document; texts that aren't Unicode have U+FFFD in them. NaN and infinities are numbers.

    Raises:
        ValueError: It isn't JSON, or it is nested too deeply.
    """
    try:
        return from_json(raw)
    except ValueError:
        return from_json(readable(raw))


def item(raw: bytes) -> Item:
    """Return one item from its bytes."""
    try:
        return Item(load(raw))
    except ValueError:
        return Item(None, NO_JSON)


def single(raw: bytes) -> Item:
    """Return a body that is one object."""
    found = item(raw)
    return found if found.problem or isinstance(found.document, dict) else Item(None, NO_OBJECT)


def listed(raw: bytes) -> list[Item]:
    """Return the items of a body that is a list; a body that is no list is the only item."""
    if not raw.lstrip().startswith(b"["):
        return [item(raw)]
    try:
        document = from_json(raw)
    except ValueError:
        return [item(part) for part in elements(raw, raw.index(b"[") + 1)]
    return [Item(one) for one in document]


def batch(raw: bytes, name: str) -> Batch | None:
    """Return a body that is an object with a list under `name`; None if it is none."""
    try:
        document = load(raw)
    except ValueError:
        return _sliced(raw, name)
    if not isinstance(document, dict) or not isinstance(document.get(name), list):
        return None
    return Batch({**document, name: None}, [Item(one) for one in document[name]])


def elements(raw: bytes, start: int) -> Iterator[bytes]:
    """Yield the bytes of each item of a list, whether they are valid or not.

    `start` is the position after the list's opening bracket.
    """
    begin, depth = start, 0
    for token in _TOKEN.finditer(raw, start):
        sign = token[0]
        if sign in {b"{", b"["}:
            depth += 1
        elif sign == b"," and depth == 0:
            yield raw[begin : token.start()].strip()
            begin = token.end()
        elif sign in {b"}", b"]"}:
            depth -= 1
            if depth < 0:
                break
    else:
        token = None
    rest = raw[begin : token.start() if token else len(raw)].strip()
    if rest:
        yield rest


def _sliced(raw: bytes, name: str) -> Batch | None:
    """Read a body that isn't valid as a whole, item by item."""
    start = _list_start(raw, name)
    if start is None:
        return None
    parts = [*elements(raw, start)]
    end = start
    for part in parts:
        end = raw.index(part, end) + len(part)
    outer = item(raw[:start] + raw[end:]).document
    return Batch(outer if isinstance(outer, dict) else {}, [item(part) for part in parts])


def _list_start(raw: bytes, name: str) -> int | None:
    """Return the position after the bracket that opens the list under a key of the outermost object."""
    key, depth = b'"%s"' % name.encode(), 0
    for token in _TOKEN.finditer(raw):
        sign = token[0]
        if depth == 1 and sign == key and (after := _AFTER_KEY.match(raw, token.end())):
            return after.end()
        depth += (sign in {b"{", b"["}) - (sign in {b"}", b"]"})
    return None
