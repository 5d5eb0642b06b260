"""Shopify's orders, by the state of their payment."""

from collections.abc import Iterator

from detectors.flow import EventType
from storefronts import customers, events
from storefronts.results import Part
from storefronts.shopify_fields import customer, money, others, token
from storefronts.shopify_webhook import Webhook
from storefronts.values import identifier, text

_BOUGHT = frozenset({"paid", "authorized", "partially_paid", "partially_refunded"})
_TAKEN_BACK = frozenset({"voided", "refunded", "expired"})
_WITHOUT_SHOPPER = frozenset({"pos", "shopify_draft_order"})


def read_order(webhook: Webhook) -> Iterator[Part]:
    """Yield what an order becomes. One that was cancelled or refunded sends nothing, whatever the topic."""
    document, topic = webhook.document, webhook.topic
    status = text(document.get("financial_status")).lower()
    if document.get("test") is True:
        yield webhook.ignored("is a test order")
    elif document.get("cancelled_at") or topic == "orders/cancelled" or status in _TAKEN_BACK:
        yield webhook.ignored("was cancelled or refunded")
    elif topic == "orders/paid" or status in _BOUGHT:
        yield _order(webhook, "order_completed")
    elif status == "pending" and text(document.get("source_name")).lower() in _WITHOUT_SHOPPER:
        yield webhook.ignored("is pending, and no shopper made it")
    elif status == "pending":
        yield _order(webhook, "payment_pending")
    elif topic == "orders/create":
        # A state of the payment that isn't known: there is an order, and so nothing to win back.
        yield _order(webhook, "order_completed")
    else:
        yield webhook.ignored("has another financial_status")


def _order(webhook: Webhook, kind: EventType) -> Part:
    document = webhook.document
    carts = [token(document.get(name)) for name in ("cart_token", "checkout_token")]
    session_id = carts[0] or carts[1]
    known = customer(document, webhook.options)
    if not session_id and not customers.is_named(known) and not identifier(document.get("id")):
        return webhook.ignored("names no cart and no person")
    value, code = money(document, "total_price")
    # An order can be edited long after the purchase: only the last change of a new or newly paid one is the time. A
    # checkout's last change is often later than the creation of its order.
    edited = webhook.topic == "orders/updated"
    times = ("created_at", "processed_at", "updated_at") if edited else ("updated_at", "created_at")
    occurred_at, ids = webhook.occurred(*times), events.cart_ids(session_id, events.aliases(*carts))
    if kind == "order_completed":
        event = events.order(
            occurred_at,
            session_id=session_id,
            customer=known,
            value=value,
            currency=code,
            cart_ids=ids,
            also_named=others(document, known),
        )
    else:
        event = events.event(kind, occurred_at, session_id=session_id, customer=known, cart_ids=ids)
    return webhook.translated(
        event,
        aliases=events.aliases(carts[0], carts[1], document.get("id")),
    )
