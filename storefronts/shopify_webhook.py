"""One webhook of Shopify: its topic, its document, and what they become."""

from dataclasses import dataclass
from datetime import datetime

from detectors.json_values import JsonObject
from storefronts import clock, events
from storefronts.delivery import Delivery
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Translated
from storefronts.values import at


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified webhook. The signature doesn't cover the topic, so a body must also have the shape of its topic."""

    topic: str
    document: JsonObject
    delivery: Delivery
    options: Options

    def occurred(self, *paths: str) -> datetime:
        """Return the first moment in the document, else the one in Shopify's header, else the arrival."""
        stated = (at(self.document, path) for path in paths)
        found = next((value for value in stated if clock.moment(value)), None)
        return clock.occurred(
            found or self.delivery.header("x-shopify-triggered-at", "shopify-triggered-at"), self.delivery.received
        )

    @property
    def key(self) -> str:
        """The dedupe key: a repeat has the same body, and a change has another time in it.

        Without a time in the body, the id of the delivery counts; whether a repeat has the same one isn't documented.
        """
        has_time = clock.moment(self.document.get("updated_at")) is not None
        delivered = "" if has_time else self.delivery.header("x-shopify-webhook-id", "shopify-webhook-id")
        return events.body_key("shopify", self.delivery.shop, self.topic, delivered, body=self.delivery.body)

    def translated(self, event: JsonObject, *, aliases: tuple[Alias, ...] = ()) -> Translated:
        """Return an event; it's complete if it names a session, or a person by its own."""
        by_alias = "session_id" not in event and bool(aliases)
        visitor = events.visitor(("customer", at(self.document, "customer.id")), aliases=aliases)
        return Translated(event, self.key, visitor, "alias" if by_alias else "id")

    def ignored(self, reason: str) -> Ignored:
        """Return that the webhook becomes nothing."""
        return Ignored(reason, name=self.topic)
