"""Events in the envelope of a format for events in general."""

from collections.abc import Iterator

from detectors.json_values import JsonValue
from detectors.reading.names import event_type
from storefronts.event_lists import part
from storefronts.json_bodies import item
from storefronts.results import Part
from storefronts.values import text


def opened(data: JsonValue, *, kind: JsonValue, time: JsonValue, key: str | None, place: int = 0) -> Iterator[Part]:
    """Yield the events in the data of an envelope. An event without a type or a time has those of the envelope."""
    if isinstance(data, str):
        data = item(data.encode(errors="replace")).document
    for number, one in enumerate(data if isinstance(data, list) else [data]):
        event = one
        if isinstance(one, dict):
            event = {"type": event_type(text(kind)) or text(kind), **one} if "type" not in one else dict(one)
            if "occurred_at" not in one and time is not None:
                event["occurred_at"] = time
        yield part(event, dedupe_key=f"{key}:{number}" if key and isinstance(data, list) else key, place=place + number)
