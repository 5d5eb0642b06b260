"""The sources of `storefronts`: the check of each sender, and the events of each request."""

from collections.abc import Mapping, Sequence

import structlog
from pydantic import SecretStr

from detectors.json_values import JsonObject
from storefronts import (
    cloudevents,
    ga4,
    key_classes,
    rudderstack,
    segment,
    segment_webhook,
    shopify,
    shopify_pixel,
    standard_webhooks,
    woocommerce,
    yuno,
)
from storefronts.delivery import Delivery
from storefronts.json_bodies import NO_JSON, NO_OBJECT
from storefronts.results import DataRequest, Erasure, Ignored, Result, Translated
from storefronts.setups import Cause, cause_of_key, cause_of_signature
from storefronts.source import Source
from worker.collector.settings import CollectSettings
from worker.collector.source import Access, Reading
from worker.collector.visits import Unplaced, unplaced
from worker.collector.write_keys import WriteKeys

_PING = b"webhook_id="
_LONGEST_PING = 64

log = structlog.stdlib.get_logger("winback.collector")


class ShopSource:
    """A source of `storefronts`, behind the paths of the collector."""

    def __init__(self, source: Source, secrets: Mapping[str, Sequence[SecretStr]], *, is_scoped: bool) -> None:
        """`secrets`: by shop; "" for a source without shops. `is_scoped`: whether ids are unique within a shop only."""
        self._source = source
        self._secrets = {shop: [one.get_secret_value() for one in listed] for shop, listed in secrets.items()}
        self._is_scoped = is_scoped

    def label(self, shop: str) -> str:
        """Return the name under which a request is reported, with the shop if the settings know it."""
        return f"{self._source.name}/{shop}" if shop and shop in self._secrets else self._source.name

    def cause(self, delivery: Delivery) -> Cause:
        """Return why a request isn't accepted."""
        if self._source.verify is None:
            return cause_of_key(delivery)
        if not self._secrets.get(delivery.shop):
            return "unknown_shop" if delivery.shop else "no_secret"
        return cause_of_signature(self._source.name, delivery)

    def access(self, delivery: Delivery, keys: WriteKeys) -> Access | None:
        """Return what the sender of a request can report; None for nothing."""
        if self._source.verify is None:
            key = keys.find(delivery)
            return None if key is None else Access(key)
        secrets = self._secrets.get(delivery.shop)
        if not secrets:
            return None
        if self._is_ping(delivery):
            return Access(signed="nothing")
        signed = self._source.verify(delivery, secrets)
        return None if signed == "nothing" else Access(signed=signed)

    def read(self, delivery: Delivery, access: Access) -> Reading:
        """Return what a request becomes."""
        if access.key is None and access.signed == "nothing":
            return Reading(())
        result = self._source.result(delivery)
        if access.key is None:
            result = key_classes.signed_parts(result, access.signed)
        else:
            result = key_classes.permitted(result, "public" if access.key.is_public else "server")
        return self._reading(result, delivery)

    def _is_ping(self, delivery: Delivery) -> bool:
        """Whether it is the first request of a new webhook of WooCommerce, which isn't signed and holds no event."""
        return (
            self._source is woocommerce.WOOCOMMERCE
            and len(delivery.body) <= _LONGEST_PING
            and delivery.body.startswith(_PING)
        )

    def _reading(self, result: Result, delivery: Delivery) -> Reading:
        events: list[JsonObject | Unplaced] = []
        scope = delivery.shop if self._is_scoped else ""
        for part in result.parts:
            match part:
                case Translated(session_by="id") if not part.visitor.aliases:
                    events.append(part.event)
                case Ignored():
                    pass
                case Erasure():
                    log.error(
                        "erasure_requested",
                        source=self._source.name,
                        shop=delivery.shop,
                        hint="run winback forget for the person in the request",
                    )
                case DataRequest():
                    log.warning("data_requested", source=self._source.name, shop=delivery.shop)
                case _:
                    events.append(unplaced(part, scope, delivery.received))
        ignored = [part.reason for part in result.ignored]
        is_unreadable = len(ignored) == len(result.parts) == 1 and ignored[0] in {NO_JSON, NO_OBJECT}
        return Reading(events, ignored, problem=ignored[0] if is_unreadable else "")


def shop_sources(settings: CollectSettings) -> dict[str, ShopSource]:
    """Return the source of each path. `{shop}` and `{route}` in a path stand for any name."""
    is_scoped = len({*settings.shopify, *settings.woocommerce}) > 1

    def made(source: Source, secrets: Mapping[str, Sequence[SecretStr]] | None = None) -> ShopSource:
        return ShopSource(source, secrets or {}, is_scoped=is_scoped)

    calls = made(segment.SEGMENT)
    return {
        "/v1/{route}": calls,
        "/beacon/v1/{route}": made(rudderstack.RUDDERSTACK),
        "/ga4": made(ga4.GA4),
        "/shopify/{shop}": made(shopify.SHOPIFY, settings.shopify),
        "/shopify-pixel/{shop}": made(shopify_pixel.SHOPIFY_PIXEL),
        "/woocommerce/{shop}": made(woocommerce.WOOCOMMERCE, settings.woocommerce),
        "/yuno": made(yuno.YUNO, {"": settings.yuno_secrets}),
        "/segment-webhook": made(segment_webhook.SEGMENT_WEBHOOK, {"": settings.segment_secrets}),
        "/standard-webhooks": made(standard_webhooks.STANDARD_WEBHOOKS, {"": settings.standard_webhooks_secrets}),
        "/cloudevents": made(cloudevents.CLOUDEVENTS),
    }
