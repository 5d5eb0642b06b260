"""Winback's own events: plain, in Standard Webhooks, or in CloudEvents. The headers tell which."""

from storefronts import cloudevents, event_lists, standard_webhooks
from storefronts.delivery import Delivery
from storefronts.options import Options
from storefronts.results import Result
from storefronts.signatures import standard_webhooks as standard_signature
from storefronts.source import Source


def read(delivery: Delivery, options: Options) -> Result:
    """Return the events of a request. Each is read as it is, by the rules of docs/reference/reading-events.md."""
    if "webhook-signature" in delivery.headers:
        return standard_webhooks.read(delivery, options)
    if cloudevents.is_cloudevent(delivery):
        return cloudevents.read(delivery, options)
    return Result(tuple(event_lists.parts(delivery.body)))


EVENTS = Source("events", read, standard_signature, takes_key=True, has_own_events=True)
