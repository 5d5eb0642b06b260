"""Segment's webhook destination: one call in a request, or a list of calls of which only the first is signed."""

from storefronts.delivery import Delivery
from storefronts.json_bodies import listed
from storefronts.options import Options
from storefronts.results import Result
from storefronts.segment import read_items
from storefronts.signatures import segment_webhook
from storefronts.source import Source


def read(delivery: Delivery, options: Options) -> Result:
    """Return what the calls of a request become."""
    return read_items(listed(delivery.body), delivery, options)


SEGMENT_WEBHOOK = Source("segment-webhook", read, segment_webhook)
