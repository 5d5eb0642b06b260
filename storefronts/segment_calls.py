"""One call of Segment's specification: track, page, screen, identify, alias or delete."""

from collections.abc import Iterator

from detectors.flow import Stage
from detectors.json_values import JsonObject
from detectors.reading import ids
from detectors.reading.names import event_type
from storefronts import customers, events
from storefronts.carts import cart, currency, lines, product
from storefronts.delivery import Delivery
from storefronts.options import Options
from storefronts.results import Erasure, Part, Profile, Translated
from storefronts.segment_call import Call
from storefronts.segment_names import STAGES, STEPS, TAKEN_BACK, WHOLE_CARTS
from storefronts.values import amount, at, first, mapping, text

_NO_VISITOR = "names no visitor: it has neither anonymousId nor userId"


def parts(fields: JsonObject, delivery: Delivery, options: Options, *, place: int = 0) -> Iterator[Part]:
    """Yield what one call becomes. `place` is its position in a batch."""
    call = Call.of(fields, delivery, options, place)
    match call.kind:
        case "track":
            yield _track(call)
        case "page" | "screen":
            yield _activity(call, _stage_of_page(call))
        case "identify":
            yield _profile(call, call.customer)
        case "alias":
            yield _profile(call, {})
        case "delete":
            known = {name: code for name, code in call.customer.items() if name == "country_code"}
            people = customers.others(known, phones=call.phones, emails=call.emails)
            yield Erasure(tuple(people), call.visitor, dedupe_key=call.dedupe_key)
        case _:
            yield call.ignored("is a call of another type")


def _profile(call: Call, customer: JsonObject) -> Part:
    visitor = call.visitor
    return Profile(customer, visitor, call.occurred_at, call.dedupe_key) if visitor.ids else call.ignored(_NO_VISITOR)


def _track(call: Call) -> Part:
    if call.name in TAKEN_BACK:
        return call.ignored("isn't about a shopper at the shop")
    if call.name in STAGES:
        return _activity(call, _stage(call))
    match event_type(text(call.fields.get("event"))):
        case "order_completed":
            return _order(call)
        case "opt_out" | "payment_pending" as kind:
            return _translated(call, events.event(kind, call.stopped_at, customer=call.customer))
        case _:
            return call.ignored("is an event that means nothing to Winback")


def _activity(call: Call, stage: Stage) -> Part:
    if call.context.get("active") is False:
        return call.ignored("context.active is false: no shopper was there")
    more: JsonObject = {"metadata": call.campaign}
    if call.name in WHOLE_CARTS and (rows := _cart(call)) is not None:
        more["cart"] = rows
    found = events.activity(stage, call.occurred_at, platform=call.platform, customer=call.customer, **more)
    return _translated(call, found)


def _order(call: Call) -> Part:
    """Return an order. It's read leniently: under every id that it names, its cart is closed."""
    customer = call.customer
    found = events.order(
        call.stopped_at,
        customer=customer,
        value=_total(call),
        currency=currency(call.properties.get("currency")),
        cart_ids=events.cart_ids("", call.aliases, *ids.cart_ids(call.properties)),
        also_named=customers.others(customer, phones=call.phones, emails=call.emails),
    )
    return _translated(call, found)


def _translated(call: Call, event: JsonObject) -> Part:
    visitor = call.visitor
    if visitor.aliases:
        event = {"session_id": visitor.aliases[0].session_id, **event}
    if visitor.aliases or visitor.ids:
        return Translated(event, call.dedupe_key, visitor, "visitor")
    if event["type"] == "activity" or not customers.is_named(mapping(event.get("customer"))):
        return call.ignored(_NO_VISITOR)
    return Translated(event, call.dedupe_key, visitor, "alias")


def _stage(call: Call) -> Stage:
    step = call.properties.get("step")
    takes_payment = text(call.properties.get("payment_method")) or (
        call.options.payment_step is not None and text(step) == str(call.options.payment_step)
    )
    return "payment" if call.name in STEPS and takes_payment else STAGES[call.name]


def _stage_of_page(call: Call) -> Stage:
    path = first(text(call.properties.get("path")), text(at(call.context, "page.path")))
    return "checkout" if call.options.is_checkout(path) else "product_selection"


def _cart(call: Call) -> JsonObject | None:
    code = currency(call.properties.get("currency"))
    rows = lines(call.properties.get("products"), lambda row: product(row, code))
    return None if rows is None else cart(rows, total=_total(call), currency_code=code)


def _total(call: Call) -> float | None:
    code = currency(call.properties.get("currency"))
    amounts = (amount(call.properties.get(name), code) for name in ("total", "value", "revenue"))
    return next((one for one in amounts if one is not None and one >= 0), None)
