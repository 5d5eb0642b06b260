"""Winback's own events in Standard Webhooks: `{"type": ..., "timestamp": ..., "data": event}`."""

from storefronts.delivery import Delivery
from storefronts.envelopes import opened
from storefronts.events import dedupe_key
from storefronts.json_bodies import single
from storefronts.options import Options
from storefronts.results import Ignored, Result
from storefronts.signatures import standard_webhooks
from storefronts.source import Source
from storefronts.values import short


def read(delivery: Delivery, options: Options) -> Result:
    """Return the event, or the events, in the `data` of a webhook; a body that is itself an event counts, too."""
    del options
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem)])
    envelope = body.document
    data = envelope if "session_id" in envelope or "data" not in envelope else envelope["data"]
    key = dedupe_key("standard-webhooks", short(delivery.header("webhook-id")))
    return Result.of(opened(data, kind=envelope.get("type"), time=envelope.get("timestamp"), key=key))


STANDARD_WEBHOOKS = Source("standard-webhooks", read, standard_webhooks, has_own_events=True)
