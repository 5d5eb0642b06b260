"""Reads Winback's own events: one object, an array, or JSON lines."""

from collections.abc import Iterable, Iterator

from pydantic_core import from_json

from detectors.json_values import JsonObject, JsonValue
from storefronts.delivery import Delivery
from storefronts.key_classes import NO_EVENT, as_claim
from storefronts.setups import Cause, cause_of_key
from worker.collector.source import Access, Reading
from worker.collector.visits import Unplaced
from worker.collector.write_keys import WriteKeys

MOST_EVENTS = 2500
NO_JSON = "isn't valid JSON"
NO_OBJECT = "isn't a JSON object"
EMPTY = "the body is empty"
_UNREADABLE = object()


class OwnEvents:
    """Winback's own events, with a write key."""

    def label(self, shop: str) -> str:
        """Return the name under which requests are reported."""
        del shop
        return "events"

    def cause(self, delivery: Delivery) -> Cause:
        """Return why the key of a request isn't accepted."""
        return cause_of_key(delivery)

    def access(self, delivery: Delivery, keys: WriteKeys) -> Access | None:
        """Return what the request's key can report; None if it has none that is known."""
        key = keys.find(delivery)
        return None if key is None else Access(key)

    def read(self, delivery: Delivery, access: Access) -> Reading:
        """Return the events of a request that its key can report."""
        reading = _read(delivery.body)
        return _claims(reading) if access.key is None or access.key.is_public else reading


def _claims(reading: Reading) -> Reading:
    """Return what counts of events that a public key reported."""
    claims = [event if isinstance(event, Unplaced) else as_claim(event) for event in reading.events]
    events = [claim for claim in claims if claim is not None]
    unreadable = [f"an event {NO_EVENT}"] * (len(claims) - len(events))
    return Reading(events, [*reading.ignored, *unreadable], reading.problem)


def _read(body: bytes) -> Reading:
    """Return the events of a body. Ingest checks each event; here it only has to be a JSON object."""
    stripped = body.strip()
    if not stripped:
        return Reading((), problem=EMPTY)
    events: list[JsonObject | Unplaced] = []
    ignored: list[str] = []
    for place, document in enumerate(_documents(stripped)):
        if place >= MOST_EVENTS:
            ignored.append(f"the request has more than {MOST_EVENTS} events")
            break
        if isinstance(document, dict):
            document.pop("writeKey", None)  # a key that a browser sends within its event isn't kept
            events.append(document)
        else:
            ignored.append(f"event {place + 1} {NO_JSON if document is _UNREADABLE else NO_OBJECT}")
    return Reading(events, ignored, problem="" if events or not ignored else ignored[0])


def _documents(body: bytes) -> Iterable[JsonValue]:
    try:
        found = from_json(body)
    except ValueError:
        return _lines(body)
    return found if isinstance(found, list) else [found]


def _lines(body: bytes) -> Iterator[JsonValue]:
    for line in body.splitlines():
        if line.strip():
            try:
                yield from_json(line)
            except ValueError:
                yield _UNREADABLE
