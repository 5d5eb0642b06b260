"""Events in Winback's own form, as the sources make them."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from detectors.activity import MAX_CART_IDS
from detectors.flow import EventType, Platform, Stage
from detectors.json_values import JsonObject, JsonValue
from storefronts.clock import written
from storefronts.results import Alias, AliasKind, Visitor, VisitorId
from storefronts.values import identifier, text

_LONGEST_KEY = 200
_LONGEST_METADATA = 1024
_MOST_VALUE = 1e12


def event(
    kind: EventType,
    occurred_at: datetime,
    *,
    session_id: str = "",
    customer: JsonObject | None = None,
    cart: JsonObject | None = None,
    metadata: JsonObject | None = None,
    **more: JsonValue,
) -> JsonObject:
    """Return an event without empty fields."""
    found: JsonObject = {
        "session_id": session_id,
        "type": kind,
        "occurred_at": written(occurred_at),
        **more,
        "customer": customer,
        "cart": cart,
        "engagement": {"metadata": metadata} if metadata else None,
    }
    return {name: value for name, value in found.items() if value or value == 0}


def order(occurred_at: datetime, *, value: float | None, currency: str, **more: JsonValue) -> JsonObject:
    """Return the event of an order. A value that is negative or too large is left out: the order counts without it."""
    known = None if value is None or not 0 <= value <= _MOST_VALUE else value
    return event("order_completed", occurred_at, **more, order_value=known, currency=currency)


def activity(
    stage: Stage,
    occurred_at: datetime,
    *,
    platform: Platform = "web",
    session_id: str = "",
    customer: JsonObject | None = None,
    cart: JsonObject | None = None,
    **more: JsonValue,
) -> JsonObject:
    """Return the event of a shopper at a stage."""
    return event(
        "activity",
        occurred_at,
        session_id=session_id,
        flow_stage=stage,
        platform=platform,
        customer=customer,
        cart=cart,
        **more,
    )


def refusal(occurred_at: datetime, customer: JsonObject, *, source: str) -> JsonObject:
    """Return the event of a refusal of both channels, which holds until an explicit yes. `source` is kept as proof.

    There is no type of event for a refusal. Without a session, the stage of an activity has no effect.
    """
    refused = {"call": False, "whatsapp": False, "source": source}
    return activity("product_selection", occurred_at, customer=customer | {"consent": refused})


def metadata(**values: JsonValue) -> JsonObject:
    """Return the values that are texts of a reasonable length."""
    found = {name: text(value) for name, value in values.items()}
    return {name: value for name, value in found.items() if 0 < len(value) <= _LONGEST_METADATA}


def visitor(*ids: tuple[str, JsonValue], aliases: tuple[Alias, ...] = ()) -> Visitor:
    """Return the visitor without empty ids."""
    found = tuple(VisitorId(kind, found) for kind, value in ids if value and (found := identifier(value)))
    return Visitor(found, aliases)


def aliases(cart: JsonValue = None, checkout: JsonValue = None, order: JsonValue = None) -> tuple[Alias, ...]:
    """Return the ids of the cart, the checkout and the order, without empty ones."""
    stated: tuple[tuple[AliasKind, JsonValue], ...] = (("cart", cart), ("checkout", checkout), ("order", order))
    return tuple(Alias(kind, found) for kind, value in stated if value and (found := identifier(value)))


def cart_ids(own: str, aliases: Iterable[Alias], *more: str) -> list[str]:
    """Return the ids under which the cart of an order can be known, in addition to `own`.

    The number of an order isn't among them: it would close another shopper's cart that has the same number.
    """
    ids = (*(alias.session_id for alias in aliases), *more)
    return [one for one in dict.fromkeys(ids) if one != own][:MAX_CART_IDS]


def body_key(source: str, *parts: str, body: bytes) -> str:
    """Return a key for repeats of a webhook, each of which has the same body."""
    return f"{source}:{hashlib.sha256(chr(0).join(parts).encode(errors='replace') + body).hexdigest()}"


def dedupe_key(source: str, *parts: str) -> str | None:
    """Return a key for repeats of an event; None if a part is missing. A long one is replaced by its hash."""
    if not all(parts):
        return None
    key = ":".join((source, *parts))
    return key if len(key) <= _LONGEST_KEY else f"{source}:{hashlib.sha256(key.encode()).hexdigest()}"
