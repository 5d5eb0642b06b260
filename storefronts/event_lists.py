"""Winback's own events without an envelope: one, an array, or JSON lines.

An event isn't checked here but where it is applied, so that the reason is kept with it, and a batch costs little.
"""

from collections.abc import Iterator
from itertools import islice

from pydantic_core import from_json, to_json

from detectors import parsing
from detectors.activity import MAX_EVENT_BYTES
from detectors.json_values import JsonValue
from storefronts.json_bodies import NO_JSON, NO_OBJECT, elements, item
from storefronts.results import Ignored, Part, Rejected, Translated

MOST_EVENTS = 2500
EMPTY = "is empty"


def parts(body: bytes) -> list[Part]:
    """Return the events of a body, each as it was sent. One that can't be read costs no other."""
    try:
        document = from_json(body)
    except ValueError:
        return _unusual(body.strip())
    documents = document if isinstance(document, list) else [document]
    found = [part(one, place=place) for place, one in enumerate(documents[:MOST_EVENTS])]
    return [*found, _beyond()] if len(documents) > MOST_EVENTS else found


def _unusual(body: bytes) -> list[Part]:
    """Return the events of a body that isn't JSON as a whole."""
    pieces = [*islice(_split(body), MOST_EVENTS + 1)]
    found = [_piece(raw, place) for place, raw in enumerate(pieces[:MOST_EVENTS])]
    if not body:
        return [Ignored(EMPTY)]
    return [*found, _beyond()] if len(pieces) > MOST_EVENTS else found


def _beyond() -> Part:
    return Ignored(f"is beyond the {MOST_EVENTS} events that a request can have", place=MOST_EVENTS)


def part(document: JsonValue, *, dedupe_key: str | None = None, place: int = 0) -> Part:
    """Return an event from its document."""
    if isinstance(document, dict):
        document.pop("writeKey", None)  # a key that a browser sends within its event isn't kept
        return Translated(document, dedupe_key)
    return Rejected(to_json(document, inf_nan_mode="null"), NO_OBJECT, place=place)


def _piece(raw: bytes, place: int) -> Part:
    """Return an event from its bytes. An order, or what else stops a contact, also counts if its JSON is broken."""
    found = item(raw)
    if not found.problem:
        return part(found.document, place=place)
    read = parsing.parse(raw).event
    if read is not None:
        return Translated(read.model_dump(mode="json", exclude_unset=True))
    return Rejected(raw, NO_JSON, place=place)


def _split(body: bytes) -> Iterator[bytes]:
    """Yield the events of a body: of a list, of lines, or the one that is written over several lines."""
    if body.startswith(b"["):
        yield from elements(body, 1)
        return
    lines = [line for line in body.splitlines() if line.strip()]
    yield from ([body] if len(lines) <= 1 or _is_one(body, lines) else lines)


def _is_one(body: bytes, lines: list[bytes]) -> bool:
    """Whether several lines are one event. The first and the last line of one that is indented are no objects."""
    if any(isinstance(item(line).document, dict) for line in (lines[0], lines[-1])):
        return False
    return len(body) <= MAX_EVENT_BYTES and parsing.parse(body).event is not None
