"""Shopify's customers: their records, their answers about consent, and requests by law."""

from collections.abc import Iterator

from detectors.json_values import JsonObject, JsonValue
from storefronts import customers, events
from storefronts.results import Alias, DataRequest, Erasure, Part, Profile, Visitor
from storefronts.shopify_fields import customer
from storefronts.shopify_webhook import Webhook
from storefronts.values import at, identifier, mapping, text

_REFUSED = "unsubscribed"


def read_customer(webhook: Webhook) -> Iterator[Part]:
    """Yield what `customers/create` and `customers/update` become."""
    yield _profile(webhook, customer(webhook.document, webhook.options))


def read_consent(webhook: Webhook) -> Iterator[Part]:
    """Yield what `customers_marketing_consent/update` becomes.

    An unsubscription counts as a refusal of both channels. A subscription is about text messages: it's a consent only
    if the settings name the field.
    """
    document = webhook.document
    known = customer(document, webhook.options)
    if text(at(document, "sms_marketing_consent.state")).lower() != _REFUSED:
        yield _profile(webhook, known)
    elif not customers.is_named(known):
        yield webhook.ignored("names no person")
    else:
        occurred_at = webhook.occurred("sms_marketing_consent.consent_updated_at", "updated_at")
        event = events.refusal(occurred_at, known, source="Shopify: unsubscribed from marketing")
        yield webhook.translated(event)


def read_redaction(webhook: Webhook) -> Iterator[Part]:
    """Yield what `customers/redact` becomes. The body of another request about the person is refused."""
    document = webhook.document
    if "orders_to_redact" not in document:
        yield webhook.ignored("has no orders_to_redact")
        return
    visitor = _visitor(webhook, document.get("orders_to_redact"))
    yield Erasure(_people(document), visitor, dedupe_key=webhook.key)


def read_shop_redaction(webhook: Webhook) -> Iterator[Part]:
    """Yield what `shop/redact` becomes: everything of the shop of the path is to be removed."""
    if mapping(webhook.document.get("customer")) or "shop_id" not in webhook.document:
        yield webhook.ignored("is no body of shop/redact")
        return
    yield Erasure(shop=webhook.delivery.shop, dedupe_key=webhook.key)


def read_data_request(webhook: Webhook) -> Iterator[Part]:
    """Yield what `customers/data_request` becomes."""
    document = webhook.document
    visitor = _visitor(webhook, document.get("orders_requested"))
    yield DataRequest(_people(document), visitor, webhook.key)


def _profile(webhook: Webhook, known: JsonObject) -> Part:
    visitor = events.visitor(("customer", webhook.document.get("id")))
    if not visitor.ids:
        return webhook.ignored("names no customer")
    return Profile(known, visitor, webhook.occurred("updated_at"), webhook.key)


def _people(document: JsonObject) -> tuple[JsonObject, ...]:
    person = mapping(document.get("customer"))
    return tuple(customers.others({}, phones=[person.get("phone")], emails=[person.get("email")]))


def _visitor(webhook: Webhook, orders: JsonValue) -> Visitor:
    listed = orders if isinstance(orders, list) else []
    aliases = tuple(Alias("order", found) for one in listed if (found := identifier(one)))
    return events.visitor(("customer", at(webhook.document, "customer.id")), aliases=aliases)
