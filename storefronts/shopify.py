"""Shopify: webhooks of a shop's carts, checkouts, orders and customers."""

from collections.abc import Callable, Iterator, Mapping

from storefronts.delivery import Delivery
from storefronts.json_bodies import single
from storefronts.options import Options
from storefronts.results import Ignored, Part, Result
from storefronts.shopify_carts import read_cart, read_checkout
from storefronts.shopify_orders import read_order
from storefronts.shopify_privacy import (
    read_consent,
    read_customer,
    read_data_request,
    read_redaction,
    read_shop_redaction,
)
from storefronts.shopify_webhook import Webhook
from storefronts.signatures import shopify
from storefronts.source import Source

TOPICS: Mapping[str, Callable[[Webhook], Iterator[Part]]] = {
    "carts/create": read_cart,
    "carts/update": read_cart,
    "checkouts/create": read_checkout,
    "checkouts/update": read_checkout,
    "orders/create": read_order,
    "orders/updated": read_order,
    "orders/paid": read_order,
    "orders/cancelled": read_order,
    "customers/create": read_customer,
    "customers/update": read_customer,
    "customers_marketing_consent/update": read_consent,
    "customers/redact": read_redaction,
    "shop/redact": read_shop_redaction,
    "customers/data_request": read_data_request,
}
"""The topics to subscribe to."""


def read(delivery: Delivery, options: Options) -> Result:
    """Return what a webhook becomes, by its topic."""
    topic = delivery.header("x-shopify-topic", "shopify-topic").lower()
    reader = TOPICS.get(topic)
    if reader is None:
        return Result.of([Ignored("is of a topic that means nothing to Winback")])
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem, name=topic)])
    return Result.of(reader(Webhook(topic, body.document, delivery, options)))


SHOPIFY = Source("shopify", read, shopify)
