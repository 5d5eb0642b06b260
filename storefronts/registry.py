"""Every source. A new one is a module and a line here."""

from collections.abc import Mapping

from storefronts.cloudevents import CLOUDEVENTS
from storefronts.ga4 import GA4
from storefronts.own_events import EVENTS
from storefronts.rudderstack import RUDDERSTACK
from storefronts.segment import SEGMENT
from storefronts.segment_webhook import SEGMENT_WEBHOOK
from storefronts.shopify import SHOPIFY
from storefronts.shopify_pixel import SHOPIFY_PIXEL
from storefronts.source import Source
from storefronts.standard_webhooks import STANDARD_WEBHOOKS
from storefronts.woocommerce import WOOCOMMERCE
from storefronts.yuno import YUNO

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        SEGMENT,
        RUDDERSTACK,
        SEGMENT_WEBHOOK,
        SHOPIFY,
        SHOPIFY_PIXEL,
        WOOCOMMERCE,
        YUNO,
        GA4,
        EVENTS,
        STANDARD_WEBHOOKS,
        CLOUDEVENTS,
    )
}
"""By name."""
