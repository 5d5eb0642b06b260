"""Winback's own events in CloudEvents: in the body, in a list of them, or with the context in headers."""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import unquote

from detectors.json_values import JsonObject, JsonValue
from storefronts.delivery import Delivery
from storefronts.envelopes import opened
from storefronts.events import dedupe_key
from storefronts.json_bodies import NO_OBJECT, item, listed, single
from storefronts.options import Options
from storefronts.results import Ignored, Part, Result
from storefronts.source import Source
from storefronts.values import short

_STRUCTURED = "application/cloudevents"
_CONTEXT = ("id", "source", "type", "time")


def is_cloudevent(delivery: Delivery) -> bool:
    """Whether the headers of a request are those of CloudEvents, in any of the three modes."""
    headers = delivery.headers
    is_binary = "ce-id" in headers or "ce-specversion" in headers
    return is_binary or headers.get("content-type", "").strip().lower().startswith(_STRUCTURED)


def read(delivery: Delivery, options: Options) -> Result:
    """Return the events in a request, in whichever of the three modes it is."""
    del options
    content_type = delivery.header("content-type").lower()
    if content_type.startswith(f"{_STRUCTURED}-batch"):
        return Result.of(_batch(delivery))
    if content_type.startswith(_STRUCTURED) or not is_cloudevent(delivery):
        body = single(delivery.body)
        return Result.of([Ignored(body.problem)] if body.problem else _structured(body.document))
    context = {name: unquote(delivery.header(f"ce-{name}")) for name in _CONTEXT}
    found = item(delivery.body)
    if found.problem:
        return Result.of([Ignored(found.problem)])
    return Result.of(_opened(found.document, context, 0))


def _batch(delivery: Delivery) -> Iterator[Part]:
    for place, one in enumerate(listed(delivery.body)):
        if isinstance(one.document, dict):
            yield from _structured(one.document, place)
        else:
            yield Ignored(one.problem or NO_OBJECT, place=place)


def _structured(event: JsonObject, place: int = 0) -> Iterator[Part]:
    data = event.get("data")
    if data is None and isinstance(event.get("data_base64"), str):
        data = _decoded(event["data_base64"])
    if data is None:
        yield Ignored("holds no data that is JSON", place=place)
    else:
        yield from _opened(data, event, place)


def _opened(data: JsonValue, context: JsonObject, place: int) -> Iterator[Part]:
    key = dedupe_key("cloudevents", short(context.get("source")), short(context.get("id")))
    yield from opened(data, kind=context.get("type"), time=context.get("time") or None, key=key, place=place)


def _decoded(text: str) -> JsonValue:
    try:
        return item(base64.b64decode(text, validate=True)).document
    except (binascii.Error, ValueError):
        return None


CLOUDEVENTS = Source("cloudevents", read, has_own_events=True)
