"""Segment: calls of its SDKs and of its HTTP API, one or a batch in a request."""

from collections.abc import Iterator

from detectors.json_values import JsonObject
from storefronts.delivery import Delivery
from storefronts.json_bodies import NO_OBJECT, Item, batch, single
from storefronts.options import Options
from storefronts.results import Ignored, Part, Result
from storefronts.segment_calls import parts
from storefronts.segment_names import ROUTES
from storefronts.source import Source
from storefronts.values import mapping

MOST_CALLS = 2500
"""As in Segment's own API. What is beyond it is ignored."""


def read(delivery: Delivery, options: Options) -> Result:
    """Return what a request to Segment's API becomes. The body decides whether it is a batch, then the path."""
    route = ROUTES.get(delivery.route.rstrip("/").rpartition("/")[2].lower(), "")
    if route == "metrics":
        return Result.of([Ignored("holds metrics of the SDK", name="metrics")])
    found = batch(delivery.body, "batch")
    if found is not None:
        return Result.of(_calls(found.items, found.outer, delivery, options))
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem)])
    if route == "batch":
        return Result.of([Ignored("has no list in batch")])
    call = body.document if "type" in body.document or not route else {**body.document, "type": route}
    return Result.of(parts(call, delivery, options))


def read_items(items: list[Item], delivery: Delivery, options: Options) -> Result:
    """Return what a list of calls becomes that stand by themselves."""
    return Result.of(_calls(items, {}, delivery, options))


def _calls(items: list[Item], outer: JsonObject, delivery: Delivery, options: Options) -> Iterator[Part]:
    for place, item in enumerate(items):
        if place >= MOST_CALLS:
            yield Ignored(f"is beyond the {MOST_CALLS} calls that a request can have", place=place)
            return
        if not isinstance(item.document, dict):
            yield Ignored(item.problem or NO_OBJECT, place=place)
            continue
        yield from parts(_merged(item.document, outer), delivery, options, place=place)


def _merged(call: JsonObject, outer: JsonObject) -> JsonObject:
    """Return a call with the fields of its batch."""
    context, sent_at = mapping(outer.get("context")), outer.get("sentAt")
    if context:
        call = {**call, "context": {**context, **mapping(call.get("context"))}}
    return call if sent_at is None else {**call, "sentAt": sent_at}


SEGMENT = Source("segment", read)
