"""Google Analytics 4: events of the Measurement Protocol, or the event data of a tag of server-side Tag Manager.

It has no id of a cart and no phone numbers. Another source has to name the visitor.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from detectors.flow import Stage
from detectors.json_values import JsonObject, JsonValue
from detectors.reading import ids
from storefronts import clock, customers, events
from storefronts.carts import cart, currency, item, lines
from storefronts.delivery import Delivery
from storefronts.json_bodies import NO_OBJECT, Item, batch, single
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Part, Result, Translated
from storefronts.source import Source
from storefronts.values import amount, at, first, identifier, mapping, text

_STAGES: Mapping[str, Stage] = {
    **dict.fromkeys(
        ("page_view", "view_item_list", "select_item", "view_item", "search", "view_promotion", "select_promotion"),
        "product_selection",
    ),
    **dict.fromkeys(("add_to_cart", "remove_from_cart", "view_cart"), "cart_review"),
    **dict.fromkeys(("begin_checkout", "add_shipping_info"), "checkout"),
    "add_payment_info": "payment",
}
_WHOLE_CARTS = frozenset({"view_cart", "begin_checkout"})
_PAGE, _PURCHASE = "page_view", "purchase"
EVENTS = (*_STAGES, _PURCHASE)
"""The events to send."""
MOST_EVENTS = 100


def read(delivery: Delivery, options: Options) -> Result:
    """Return what a request becomes: several events of one client, or the data of one event."""
    found = batch(delivery.body, "events")
    if found is not None:
        return Result.of(_events(found.items, found.outer, delivery, options))
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem)])
    name, fields = text(body.document.get("event_name")), body.document
    return Result.of([_part(name, fields, fields, delivery, options, place=0)])


def _events(items: list[Item], outer: JsonObject, delivery: Delivery, options: Options) -> Iterator[Part]:
    for place, one in enumerate(items[:MOST_EVENTS]):
        if isinstance(one.document, dict):
            name, params = text(one.document.get("name")), mapping(one.document.get("params"))
            stamped = {name_: one.document.get(name_) or outer.get(name_) for name_ in ("timestamp_micros",)}
            yield _part(name, params, {**outer, **stamped}, delivery, options, place=place)
        else:
            yield Ignored(one.problem or NO_OBJECT, place=place)
    if len(items) > MOST_EVENTS:
        yield Ignored(f"is beyond the {MOST_EVENTS} events that a request can have", place=MOST_EVENTS)


def _part(
    name: str, params: JsonObject, client: JsonObject, delivery: Delivery, options: Options, *, place: int
) -> Part:
    if name != _PURCHASE and name not in _STAGES:
        return Ignored("is an event that means nothing to Winback", place=place)
    occurred_at = clock.occurred(client.get("timestamp_micros"), delivery.received)
    known = _customer(client, options)
    aliases = events.aliases(params.get("cart_id"), params.get("checkout_id"), params.get("transaction_id"))
    visitor = events.visitor(
        ("client", client.get("client_id") or client.get("app_instance_id")),
        ("user", client.get("user_id")),
        aliases=aliases,
    )
    event = (
        _purchase(params, occurred_at, known, aliases)
        if name == _PURCHASE
        else _activity(name, params, occurred_at, known, options)
    )
    if not visitor.ids and not aliases:
        return Ignored("names no visitor: it has no client_id", name=name, place=place)
    if aliases:
        event = {"session_id": aliases[0].session_id, **event}
    # The number of an order can be guessed. With the client's id, no other visitor can use up the key.
    bought = identifier(params.get("transaction_id")) if name == _PURCHASE else ""
    client_id = visitor.ids[0].value if visitor.ids else ""
    return Translated(event, events.dedupe_key("ga4", name, client_id, bought), visitor, "visitor")


def _activity(name: str, params: JsonObject, occurred_at: datetime, known: JsonObject, options: Options) -> JsonObject:
    code = currency(params.get("currency"))
    rows = lines(params.get("items"), lambda row: _item(row, code)) if name in _WHOLE_CARTS else None
    whole = None if rows is None else cart(rows, total=amount(params.get("value"), code), currency_code=code)
    is_checkout = name == _PAGE and options.is_checkout(_path(text(params.get("page_location"))))
    stage = "checkout" if is_checkout else _STAGES[name]
    return events.activity(stage, occurred_at, customer=known, cart=whole)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _purchase(params: JsonObject, occurred_at: datetime, known: JsonObject, aliases: tuple[Alias, ...]) -> JsonObject:
    """Return an order. GA4's value is without tax and shipping."""
    code = currency(params.get("currency"))
    value, *more = (amount(params.get(name), code) for name in ("value", "tax", "shipping"))
    total = None if value is None else round(value + sum(one for one in more if one is not None), 9)
    return events.order(
        occurred_at,
        customer=known,
        value=total,
        currency=code,
        cart_ids=events.cart_ids("", aliases, *ids.cart_ids(params)),
    )


def _item(row: JsonObject, code: str) -> JsonObject:
    return item(
        name=row.get("item_name"),
        sku=row.get("item_id"),
        pieces=row.get("quantity"),
        price=amount(row.get("price"), code),
    )


def _customer(client: JsonObject, options: Options) -> JsonObject:
    """Return the customer of server-side Tag Manager's `user_data`. Hashes of a number can't be called."""
    data = mapping(client.get("user_data"))
    addresses = data.get("address")
    address = mapping(addresses[0] if isinstance(addresses, list) and addresses else addresses)
    return customers.customer(
        name=customers.full_name(address),
        phones=_each(data.get("phone_number")),
        emails=_each(data.get("email_address")),
        countries=[address.get("country")],
        language=text(first(text(client.get("language")), text(at(client, "device.language")))).partition("-")[0],
        consent=customers.consent(client, options),
    )


def _each(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


GA4 = Source("ga4", read)
