"""Winback's own events: one, an array, or JSON lines."""

from collections.abc import Iterator

from pydantic_core import to_json

from detectors import parsing
from detectors.activity import MAX_EVENT_BYTES
from detectors.json_values import JsonObject, JsonValue
from storefronts.delivery import Delivery
from storefronts.json_bodies import elements, item
from storefronts.options import Options
from storefronts.results import Ignored, Part, Result, Translated
from storefronts.source import Source

MOST_EVENTS = 2500


def read(delivery: Delivery, options: Options) -> Result:
    """Return the events of a body. Each is read as it is, by the rules of docs/reference/reading-events.md."""
    del options
    return Result.of(_parts(_split(delivery.body)))


def part(document: JsonValue, *, dedupe_key: str | None = None, place: int = 0) -> Part:
    """Return an event that an envelope held."""
    try:
        raw = to_json(document)
    except ValueError:
        return Ignored("can't be read", place=place)
    return _part(raw, place, dedupe_key)


def _parts(pieces: Iterator[bytes]) -> Iterator[Part]:
    for place, piece in enumerate(pieces):
        if place >= MOST_EVENTS:
            yield Ignored(f"is beyond the {MOST_EVENTS} events that a request can have", place=place)
            return
        yield _part(piece, place, None)


def _part(raw: bytes, place: int, dedupe_key: str | None) -> Part:
    parsed = parsing.parse(raw)
    if parsed.event is None:
        reason = "; ".join(str(problem) for problem in parsed.problems[:1])
        return Ignored(reason or "can't be read", place=place)
    return Translated(_as_sent(raw) or parsed.event.model_dump(mode="json", exclude_unset=True), dedupe_key)


def _as_sent(raw: bytes) -> JsonObject | None:
    """Return an event as the shop wrote it, so that its problems are reported where it is applied.

    None if it is too large, or no JSON object of its own.
    """
    document = item(raw).document if len(raw) <= MAX_EVENT_BYTES else None
    return document if isinstance(document, dict) else None


def _split(body: bytes) -> Iterator[bytes]:
    """Yield the events of a body: of a list, of lines, or the one that is written over several lines."""
    stripped = body.strip()
    if stripped.startswith(b"["):
        yield from elements(stripped, 1)
        return
    lines = [line for line in stripped.splitlines() if line.strip()]
    yield from ([stripped] if len(lines) <= 1 or _is_one(stripped, lines) else lines)


def _is_one(body: bytes, lines: list[bytes]) -> bool:
    """Whether several lines are one event. The first and the last line of one that is indented are no objects."""
    if any(isinstance(item(line).document, dict) for line in (lines[0], lines[-1])):
        return False
    return parsing.parse(body).event is not None


EVENTS = Source("events", read)
