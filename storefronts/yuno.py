"""Yuno: webhooks of payments, by their status.

Only a payment that the shop has given the metadata `winback_session_id` names a session. Any other one has ids under
which other events can name it, and the payer: it is sent for the payer if no session is found.
"""

from collections.abc import Iterator
from datetime import datetime

from detectors.json_values import JsonObject, JsonValue
from storefronts import clock, customers, events
from storefronts.carts import currency
from storefronts.delivery import Delivery
from storefronts.json_bodies import single
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Part, Result, Translated
from storefronts.signatures import yuno
from storefronts.source import Source
from storefronts.values import at, decimal, identifier, mapping, text
from storefronts.yuno_statuses import Meaning, meaning

TRIGGERS = ("PURCHASE", "AUTHORIZE", "CAPTURE")
"""The payment triggers to choose. Others report what no shopper did."""
_METHODS = ("ticket", "bank_transfer", "wallet", "bnpl", "payment_link")
_STATEMENT = "Yuno: the payment was refused as fraud"


def read(delivery: Delivery, options: Options) -> Result:
    """Return what a webhook becomes, in its current form and in the older one without an envelope."""
    body = single(delivery.body)
    if body.problem:
        return Result.of([Ignored(body.problem)])
    payment = mapping(at(body.document, "data.payment")) or mapping(body.document.get("payment"))
    if not payment:
        return Result.of([Ignored("holds no payment")])
    return Result.of(_payment(payment, text(body.document.get("type_event")), delivery, options))


def _payment(payment: JsonObject, type_event: str, delivery: Delivery, options: Options) -> Iterator[Part]:
    status, sub_status = (text(payment.get(name)).upper() for name in ("status", "sub_status"))
    means = meaning(status, sub_status)
    known = _payer(payment, options)
    session_id, aliases = identifier(at(payment, "metadata.winback_session_id")), _aliases(payment)
    if payment.get("subscription_id"):
        yield Ignored("is a charge of a subscription: no shopper was there")
    elif means is None:
        yield Ignored("has a status that means nothing to Winback")
    elif not session_id and not aliases and not customers.is_named(known):
        yield Ignored("names no session and no person")
    elif means == "fraud" and not customers.is_named(known):
        yield Ignored("was refused as fraud, and names no person")
    else:
        updated = payment.get("updated_at") or payment.get("created_at")
        occurred_at = clock.occurred(updated, delivery.received)
        event = _event(payment, means, occurred_at, known)
        if session_id:
            event = {"session_id": session_id, **event}
        key = events.dedupe_key(
            "yuno", identifier(payment.get("id")), type_event or "payment", status, sub_status or "-", text(updated)
        )
        visitor = events.visitor(("customer", at(payment, "customer_payer.merchant_customer_id")), aliases=aliases)
        yield Translated(event, key, visitor, "id" if session_id or means == "fraud" else "alias")


def _event(payment: JsonObject, means: Meaning, occurred_at: datetime, known: JsonObject) -> JsonObject:
    match means:
        case "started":
            return events.activity("payment", occurred_at, customer=known)
        case "pending":
            return events.event("payment_pending", occurred_at, customer=known, expires_at=_expiry(payment))
        case "expired":
            expired = clock.written(occurred_at)
            return events.event("payment_pending", occurred_at, customer=known, expires_at=expired)
        case "declined":
            return events.event("payment_declined", occurred_at, customer=known)
        case "fraud":
            # No type of event means that a person isn't to be contacted for a reason of the shop's. A refusal holds
            # until an explicit yes, and its source names Yuno.
            return events.refusal(occurred_at, known, source=_STATEMENT)
        case "paid":
            code = currency(at(payment, "amount.currency"))
            return events.order(
                occurred_at,
                customer=known,
                value=decimal(at(payment, "amount.value")),
                currency=code,
                cart_ids=events.cart_ids("", _aliases(payment)),
            )


def _payer(payment: JsonObject, options: Options) -> JsonObject:
    payer = mapping(payment.get("customer_payer"))
    return customers.customer(
        name=customers.full_name(payer),
        phones=[_phone(payer.get("phone"))],
        emails=[payer.get("email")],
        countries=[at(payer, "billing_address.country"), payment.get("country")],
        language=text(at(payer, "browser_info.language")).partition("-")[0],
        consent=customers.consent(payment, options),
    )


def _phone(phone: JsonValue) -> str:
    """Return a number from its dialling code, which has no plus, and its national part."""
    part = mapping(phone)
    code, number = text(part.get("country_code")).lstrip("+"), text(part.get("number"))
    return f"+{code} {number}" if code and number and not number.startswith("+") else number


def _aliases(payment: JsonObject) -> tuple[Alias, ...]:
    """Return the ids of a payment: the shop's own, and that of the checkout session."""
    return events.aliases(checkout=at(payment, "checkout.session"), order=payment.get("merchant_order_id"))


def _expiry(payment: JsonObject) -> str:
    """Return when a voucher runs out; "" if it has no such moment."""
    for transaction in _transactions(payment):
        detail = mapping(at(transaction, "payment_method.payment_method_detail"))
        for method in _METHODS:
            for name in ("expires_at", "date_of_expiration"):
                found = clock.moment(at(detail, f"{method}.{name}"))
                if found is not None:
                    return clock.written(found)
    return ""


def _transactions(payment: JsonObject) -> list[JsonObject]:
    """Return the transactions: an object where there is one, and a list where there is none."""
    found = payment.get("transactions")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


YUNO = Source("yuno", read, yuno)
