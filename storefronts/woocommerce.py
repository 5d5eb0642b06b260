"""WooCommerce: webhooks of a shop's orders, by their status."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from detectors.flow import EventType
from detectors.json_values import JsonObject, JsonValue
from storefronts import clock, customers, events
from storefronts.carts import cart, currency, item, lines
from storefronts.delivery import Delivery
from storefronts.json_bodies import single
from storefronts.options import Options
from storefronts.results import Ignored, Part, Result, Translated
from storefronts.signatures import woocommerce
from storefronts.source import Source
from storefronts.values import at, decimal, identifier, label, mapping, text

_BY_SHOPPERS = frozenset({"checkout", "store-api"})
"""How the classic and the block checkout make orders. Others are made by staff, by programs or by subscriptions."""
_RENEWAL = "subscription"
_STATUSES: Mapping[str, EventType] = {
    "checkout-draft": "activity",
    "pending": "payment_pending",
    "on-hold": "payment_pending",
    "failed": "payment_declined",
    "processing": "order_completed",
    "completed": "order_completed",
    "ready-for-pickup": "order_completed",
}
_TAKEN_BACK = frozenset({"cancelled", "refunded", "trash"})
_NOT_YET = frozenset({"", "auto-draft", "draft", "new"})
_PING = b"webhook_id="
TOPICS = ("order.created", "order.updated")
"""The topics to subscribe to."""


def read(delivery: Delivery, options: Options) -> Result:
    """Return what a webhook becomes. The first one of a new webhook is a form with only its number."""
    if delivery.body.lstrip().startswith(_PING):
        return Result.of([Ignored("is the ping of a new webhook", name="ping")])
    topic = delivery.header("x-wc-webhook-topic").lower()
    if topic and not topic.startswith("order."):
        return Result.of([Ignored("is of a topic that means nothing to Winback")])
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem)])
    return Result.of(_order(body.document, delivery, options))


def _order(order: JsonObject, delivery: Delivery, options: Options) -> Iterator[Part]:
    status, made_by = text(order.get("status")).lower(), text(order.get("created_via")).lower()
    number = identifier(order.get("id"))
    paid = bool(text(order.get("date_paid_gmt")))
    # Plugins add statuses such as shipped. Of one that isn't known, doubt protects the shopper.
    kind = "order_completed" if paid else _STATUSES.get(status, "order_completed")
    if not number:
        yield Ignored("names no order", name=_shown(status))
    elif status in _TAKEN_BACK | _NOT_YET:
        yield Ignored("has a status that means nothing to Winback", name=_shown(status))
    elif made_by == _RENEWAL:
        yield Ignored("renews a subscription: no shopper was there", name=_shown(status))
    elif kind != "order_completed" and made_by not in _BY_SHOPPERS:
        yield Ignored("isn't made by a shopper at the checkout", name=_shown(status))
    else:
        yield _translated(order, kind, number, delivery, options)


def _translated(order: JsonObject, kind: EventType, number: str, delivery: Delivery, options: Options) -> Part:
    known, code = _customer(order, options), currency(order.get("currency"))
    session_id = identifier(f"wc-{delivery.shop}-{number}" if delivery.shop else f"wc-{number}")
    # A paid order can be edited long after the purchase. One that isn't paid, such as cash on delivery, has no other
    # time: it was created as a draft before the shopper placed it.
    paid = ("date_paid_gmt",) if kind == "order_completed" else ()
    occurred_at = clock.occurred(_moment(order, *paid, "date_modified_gmt", "date_created_gmt"), delivery.received)
    if kind == "order_completed":
        phones, emails = _contacts(order)
        event = events.order(
            occurred_at,
            session_id=session_id,
            customer=known,
            value=decimal(order.get("total")),
            currency=code,
            also_named=customers.others(known, phones=phones, emails=emails),
        )
    else:
        event = _open(order, kind, session_id, occurred_at, known)
    # An order that is created and updated in one request is delivered twice, with one body.
    key = events.body_key("woocommerce", delivery.shop, body=delivery.body)
    visitor = events.visitor(("customer", order.get("customer_id")), aliases=events.aliases(order=number))
    return Translated(event, key, visitor)


def _open(order: JsonObject, kind: EventType, session_id: str, occurred_at: datetime, known: JsonObject) -> JsonObject:
    """Return the event of an order that isn't paid: its lines are the cart."""
    rows, code = lines(order.get("line_items"), _item), currency(order.get("currency"))
    whole = cart(rows, total=decimal(order.get("total")), currency_code=code) if rows else None
    return events.event(
        kind,
        occurred_at,
        session_id=session_id,
        flow_stage="checkout" if kind == "activity" else "payment",
        platform="web",
        customer=known,
        cart=whole,
    )


def _item(row: JsonObject) -> JsonObject:
    return item(name=row.get("name"), sku=row.get("sku"), pieces=row.get("quantity"), price=decimal(row.get("price")))


def _customer(order: JsonObject, options: Options) -> JsonObject:
    phones, emails = _contacts(order)
    return customers.customer(
        name=customers.full_name(mapping(order.get("billing"))) or customers.full_name(mapping(order.get("shipping"))),
        phones=phones,
        emails=emails,
        countries=[at(order, "billing.country"), at(order, "shipping.country")],
        consent=customers.consent(order, options),
    )


def _contacts(order: JsonObject) -> tuple[list[JsonValue], list[JsonValue]]:
    return [at(order, "billing.phone"), at(order, "shipping.phone")], [at(order, "billing.email")]


def _moment(order: JsonObject, *names: str) -> JsonValue:
    """Return the first of some moments that is stated. They are in UTC, and written without a zone."""
    return next((order[name] for name in names if text(order.get(name))), None)


def _shown(status: str) -> str:
    return label(status) if status in _STATUSES or status in _TAKEN_BACK else ""


WOOCOMMERCE = Source("woocommerce", read, woocommerce)
