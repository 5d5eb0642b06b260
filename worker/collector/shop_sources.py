"""The sources of `storefronts`: the check of each sender, and the events of each request."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import SecretStr

from detectors.json_values import JsonObject
from storefronts import (
    cloudevents,
    ga4,
    key_classes,
    own_events,
    rudderstack,
    segment_webhook,
    shopify,
    shopify_pixel,
    standard_webhooks,
    woocommerce,
    yuno,
)
from storefronts.delivery import Delivery
from storefronts.event_lists import EMPTY
from storefronts.json_bodies import NO_JSON, NO_OBJECT
from storefronts.options import Options
from storefronts.results import DataRequest, Erasure, Ignored, Rejected, Result, Translated
from storefronts.segment_names import ROUTES
from storefronts.setups import Cause, cause_of_key, cause_of_signature, is_signed
from storefronts.source import Source
from worker.collector.privacy import Filed, filed
from worker.collector.settings import CollectSettings
from worker.collector.source import Access, Reading
from worker.collector.visits import Quarantined, Unplaced, unplaced
from worker.collector.write_keys import WriteKeys

_UNREADABLE = frozenset({NO_JSON, NO_OBJECT, EMPTY})
_PING = b"webhook_id="
_LONGEST_PING = 64


class ShopSource:
    """A source of `storefronts`, behind the paths of the collector."""

    def __init__(
        self,
        source: Source,
        secrets: Mapping[str, Sequence[SecretStr]],
        options: Options,
        *,
        is_scoped: bool,
        routes: Collection[str] = (),
    ) -> None:
        """Make a source.

        Args:
            source: How requests are verified and read.
            secrets: By shop; "" for a source without shops.
            options: Its settings.
            is_scoped: Whether ids are unique within a shop only.
            routes: The last parts of its paths.
        """
        self.routes = frozenset(routes)
        self.has_key = source.has_key
        self._source = source
        self._options = options
        self._secrets = {shop: [one.get_secret_value() for one in listed] for shop, listed in secrets.items()}
        self._is_scoped = is_scoped

    def label(self, shop: str, body: bytes = b"") -> str:
        """Return the name under which a request is reported, with the shop if the settings know it."""
        name = self._name(body)
        return f"{name}/{shop}" if shop and shop in self._secrets else name

    def cause(self, delivery: Delivery) -> Cause:
        """Return why a request isn't accepted."""
        if self._source.verify is None or (self._source.has_key and not is_signed(self._source.name, delivery)):
            return cause_of_key(delivery)
        if not self._secrets.get(delivery.shop):
            return "unknown_shop" if delivery.shop else "no_secret"
        return cause_of_signature(self._source.name, delivery)

    def access(self, delivery: Delivery, keys: WriteKeys) -> Access | None:
        """Return what the sender of a request can report; None for nothing."""
        secrets = self._secrets.get(delivery.shop)
        if self._source.verify is not None and secrets:
            if self._is_ping(delivery):
                return Access(signed="nothing")
            signed = self._source.verify(delivery, secrets)
            if signed != "nothing":
                return Access(signed=signed)
        key = keys.find(delivery) if self.has_key else None
        return None if key is None else Access(key)

    def read(self, delivery: Delivery, access: Access) -> Reading:
        """Return what a request becomes."""
        if access.key is None and access.signed == "nothing":
            return Reading(())
        result = self._source.result(delivery, self._options)
        if access.key is None:
            result = key_classes.signed_parts(result, access.signed)
        else:
            result = key_classes.permitted(result, "public" if access.key.is_public else "server")
        return self._reading(result, delivery)

    def named(self, shop: str, body: bytes = b"") -> dict[str, str]:
        """Return the field with the source and the shop. Winback's own events can have one of their own instead."""
        return {} if self._source.has_own_events else {"source": self.label(shop, body)}

    def _name(self, body: bytes) -> str:
        """Return the name of the sender."""
        return self._source.name_of(body) if self._source.name_of else self._source.name

    def _is_ping(self, delivery: Delivery) -> bool:
        """Whether it is the first request of a new webhook of WooCommerce, which isn't signed and holds no event."""
        return (
            self._source is woocommerce.WOOCOMMERCE
            and len(delivery.body) <= _LONGEST_PING
            and delivery.body.startswith(_PING)
        )

    def _reading(self, result: Result, delivery: Delivery) -> Reading:
        events: list[JsonObject | Unplaced | Quarantined | Filed] = []
        unread: list[str] = []
        named = self.named(delivery.shop, delivery.body)
        scope = delivery.shop if self._is_scoped else ""
        for part in result.parts:
            match part:
                case Translated(session_by="id") if not part.visitor.aliases:
                    events.append(part.event | named if named else part.event)
                case Rejected():
                    events.append(Quarantined(part.raw))
                    unread.append(part.reason)
                case Ignored():
                    unread.append(part.reason)
                case Erasure() | DataRequest():
                    source, shop = self._name(delivery.body), delivery.shop
                    events.append(filed(part, source=source, shop=shop, scope=scope, received=delivery.received))
                case _:
                    events.append(unplaced(part, scope, delivery.received, named.get("source", "")))
        is_unreadable = 0 < len(unread) == len(result.parts) and _UNREADABLE.issuperset(unread)
        return Reading(events, unread, problem=unread[0] if is_unreadable else "")


def shop_sources(settings: CollectSettings) -> dict[str, ShopSource]:
    """Return the source of each path. `{shop}` and `{route}` in a path stand for any name."""
    is_scoped = bool(settings.shops)

    def made(
        source: Source, secrets: Mapping[str, Sequence[SecretStr]] | None = None, routes: Collection[str] = ()
    ) -> ShopSource:
        return ShopSource(source, secrets or {}, settings.options(source.name), is_scoped=is_scoped, routes=routes)

    ga4_events = made(ga4.GA4)
    standard = {"": settings.standard_webhooks_secrets}
    return {
        "/events": made(own_events.EVENTS, standard),
        "/v1/{route}": made(rudderstack.SEGMENT_OR_RUDDERSTACK, routes=ROUTES),
        "/beacon/v1/{route}": made(rudderstack.RUDDERSTACK, routes=("batch",)),
        "/pixel/v1/{route}": made(rudderstack.RUDDERSTACK, routes=("track", "page")),
        "/ga4": ga4_events,
        "/mp/collect": ga4_events,
        "/shopify/{shop}": made(shopify.SHOPIFY, settings.shopify),
        # Its requests have a write key. The shop's secrets only tell which shops there are.
        "/shopify-pixel/{shop}": made(shopify_pixel.SHOPIFY_PIXEL, settings.shopify),
        "/woocommerce/{shop}": made(woocommerce.WOOCOMMERCE, settings.woocommerce),
        "/yuno": made(yuno.YUNO, {"": settings.yuno_secrets}),
        "/segment-webhook": made(segment_webhook.SEGMENT_WEBHOOK, {"": settings.segment_secrets}),
        "/standard-webhooks": made(standard_webhooks.STANDARD_WEBHOOKS, standard),
        "/cloudevents": made(cloudevents.CLOUDEVENTS),
    }
