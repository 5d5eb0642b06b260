"""One webhook of Shopify: its topic, its document, and what they become."""

from dataclasses import dataclass
from datetime import datetime

from detectors.json_values import JsonObject
from storefronts import clock, events
from storefronts.delivery import Delivery
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Translated
from storefronts.values import at, first, identifier, text


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified webhook. The signature doesn't cover the topic, so a body must also have the shape of its topic."""

    topic: str
    document: JsonObject
    delivery: Delivery
    options: Options

    def occurred(self, *paths: str) -> datetime:
        """Return the first moment that the document has, else when Shopify says that it happened, else the arrival."""
        stated = (at(self.document, path) for path in paths)
        found = next((value for value in stated if clock.moment(value)), None)
        return clock.occurred(found or self.delivery.header("x-shopify-triggered-at"), self.delivery.received)

    def key(self, version: str = "") -> str | None:
        """Return the dedupe key: the subject and its version, else the id of the delivery.

        Shopify doesn't say whether a repeat has the same id of its delivery.
        """
        subject = first(*(identifier(self.document.get(name)) for name in ("token", "id")))
        parts = (self.delivery.shop or "-", self.topic)
        delivered = self.delivery.header("x-shopify-webhook-id", "shopify-webhook-id")
        return events.dedupe_key("shopify", *parts, subject, version) or events.dedupe_key(
            "shopify", *parts, text(delivered)
        )

    def translated(self, event: JsonObject, *, aliases: tuple[Alias, ...] = (), version: str = "") -> Translated:
        """Return an event; it's complete if it names a session, or a person by its own."""
        by_alias = "session_id" not in event and bool(aliases)
        visitor = events.visitor(("customer", at(self.document, "customer.id")), aliases=aliases)
        return Translated(event, self.key(version), visitor, "alias" if by_alias else "id")

    def ignored(self, reason: str) -> Ignored:
        """Return that the webhook becomes nothing."""
        return Ignored(reason, name=self.topic)
