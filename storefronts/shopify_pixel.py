"""Shopify's web pixel: events of a shop's pages, one or a list, under a public key.

The pixel is a script of the shop's that posts the envelope of each event as it is: id, name, clientId, timestamp,
context and data. Add `sentAt` to it, so that a wrong clock can be corrected.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from detectors.flow import Stage
from detectors.json_values import JsonObject
from storefronts import clock, customers, events
from storefronts.carts import cart, currency, item, lines
from storefronts.delivery import Delivery
from storefronts.json_bodies import NO_OBJECT, listed
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Part, Result, Translated
from storefronts.shopify_fields import token
from storefronts.source import Source
from storefronts.values import at, decimal, first, identifier, mapping, text

_STAGES: Mapping[str, Stage] = {
    **dict.fromkeys(("page_viewed", "product_viewed", "collection_viewed", "search_submitted"), "product_selection"),
    **dict.fromkeys(("product_added_to_cart", "product_removed_from_cart", "cart_viewed"), "cart_review"),
    **dict.fromkeys(
        (
            "checkout_started",
            "checkout_contact_info_submitted",
            "checkout_address_info_submitted",
            "checkout_shipping_info_submitted",
        ),
        "checkout",
    ),
    "payment_info_submitted": "payment",
}
_PAGE = "page_viewed"
_COMPLETED, _ALERT, _REFUSED = "checkout_completed", "alert_displayed", "PAYMENT_ERROR"
EVENTS = (*_STAGES, _ALERT, _COMPLETED)
"""The events to subscribe to."""
_CHECKOUT_PATH = "/checkouts/cn/"
MOST_EVENTS = 100


def read(delivery: Delivery, options: Options) -> Result:
    """Return what the events of a request become."""
    return Result.of(_parts(delivery, options))


def _parts(delivery: Delivery, options: Options) -> Iterator[Part]:
    for place, one in enumerate(listed(delivery.body)):
        if place >= MOST_EVENTS:
            yield Ignored(f"is beyond the {MOST_EVENTS} events that a request can have", place=place)
            return
        if isinstance(one.document, dict):
            yield _part(one.document, delivery, options, place=place)
        else:
            yield Ignored(one.problem or NO_OBJECT, place=place)


def _part(envelope: JsonObject, delivery: Delivery, options: Options, *, place: int) -> Part:
    name, data = text(envelope.get("name")), mapping(envelope.get("data"))
    occurred_at = clock.occurred(envelope.get("timestamp"), delivery.received, sent_at=envelope.get("sentAt"))
    is_refusal = name == _ALERT and text(at(data, "alert.type")) == _REFUSED
    if name not in _STAGES and name != _COMPLETED and not is_refusal:
        return Ignored("is an event that means nothing to Winback", place=place)
    checkout = mapping(data.get("checkout"))
    visitor = events.visitor(("client", envelope.get("clientId")), aliases=_aliases(envelope, data, checkout))
    if not visitor.ids and not visitor.aliases:
        return Ignored("names no visitor: it has no clientId", name=name, place=place)
    known = _customer(envelope, checkout, options)
    if name == _COMPLETED:
        stopped_at = clock.stopped(envelope.get("timestamp"), delivery.received, sent_at=envelope.get("sentAt"))
        event = _order(checkout, stopped_at, known, visitor.aliases)
    elif is_refusal:
        event = events.event("payment_declined", occurred_at, customer=known)
    else:
        event = events.activity(
            _stage(name, envelope, options), occurred_at, customer=known, cart=_cart(data, checkout)
        )
    if visitor.aliases:
        event = {"session_id": visitor.aliases[0].session_id, **event}
    key = events.dedupe_key("shopify-pixel", identifier(envelope.get("clientId")), identifier(envelope.get("id")))
    return Translated(event, key, visitor, "visitor")


def _stage(name: str, envelope: JsonObject, options: Options) -> Stage:
    return "checkout" if name == _PAGE and options.is_checkout(_path(envelope)) else _STAGES[name]


def _path(envelope: JsonObject) -> str:
    return text(at(envelope, "context.document.location.pathname"))


def _order(checkout: JsonObject, stopped_at: datetime, known: JsonObject, aliases: tuple[Alias, ...]) -> JsonObject:
    return events.order(
        stopped_at,
        customer=known,
        value=decimal(at(checkout, "totalPrice.amount")),
        currency=currency(checkout.get("currencyCode")),
        cart_ids=events.cart_ids("", aliases),
    )


def _aliases(envelope: JsonObject, data: JsonObject, checkout: JsonObject) -> tuple[Alias, ...]:
    """Return the tokens: a page of the checkout has the cart's in its path."""
    _, found, rest = _path(envelope).partition(_CHECKOUT_PATH)
    of_path = rest.partition("/")[0] if found else ""
    order = identifier(at(checkout, "order.id")).rpartition("/")[2]
    return events.aliases(first(of_path, token(at(data, "cart.id"))), token(checkout.get("token")), order)


def _cart(data: JsonObject, checkout: JsonObject) -> JsonObject | None:
    """Return the whole cart, which only the cart's page and the checkout have."""
    shown = mapping(data.get("cart"))
    if checkout:
        code, total = currency(checkout.get("currencyCode")), decimal(at(checkout, "totalPrice.amount"))
        rows = lines(checkout.get("lineItems"), _line_item)
    else:
        code = currency(at(shown, "cost.totalAmount.currencyCode"))
        total, rows = decimal(at(shown, "cost.totalAmount.amount")), lines(shown.get("lines"), _cart_line)
    return None if rows is None else cart(rows, total=total, currency_code=code)


def _line_item(row: JsonObject) -> JsonObject:
    variant = mapping(row.get("variant"))
    price = decimal(at(variant, "price.amount"))
    return item(name=row.get("title"), sku=variant.get("sku"), pieces=row.get("quantity"), price=price)


def _cart_line(row: JsonObject) -> JsonObject:
    variant = mapping(row.get("merchandise"))
    return item(
        name=first(text(at(variant, "product.title")), text(variant.get("title"))),
        sku=variant.get("sku"),
        pieces=row.get("quantity"),
        price=decimal(at(variant, "price.amount")),
    )


def _customer(envelope: JsonObject, checkout: JsonObject, options: Options) -> JsonObject:
    """Return the customer of the checkout, else the logged-in customer of the page."""
    page = mapping(at(envelope, "init.data.customer"))
    shipping, billing = (mapping(checkout.get(name)) for name in ("shippingAddress", "billingAddress"))
    names = (
        customers.full_name(part, first_name="firstName", last_name="lastName") for part in (shipping, billing, page)
    )
    return customers.customer(
        name=first(*names),
        phones=[checkout.get("phone"), shipping.get("phone"), billing.get("phone"), page.get("phone")],
        emails=[checkout.get("email"), page.get("email")],
        countries=[shipping.get("countryCode"), billing.get("countryCode")],
        language=text(at(checkout, "localization.language.isoCode")).partition("-")[0],
        consent=customers.consent(envelope, options),
    )


SHOPIFY_PIXEL = Source("shopify-pixel", read)
