"""Stored fields of a session: an event's customer, cart and engagement, one field each. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel
from pydantic_core import to_json

from detectors.activity import ActivityEvent, Cart
from detectors.minor_units import of_order

Channel = Literal["call", "whatsapp"]

REQUIRED = ("phone", "name")
"""Without these a shopper can't be contacted. The number can supply the country (tasks.delivery.payload)."""
METADATA = "meta."
"""Prefix of metadata fields. Each key is merged separately, so that earlier keys are kept."""

SOURCE_OF = "source_of."
"""Prefix of the fields with the source of the last event about a part of the session, such as `checkout.web`."""

ID = "id"
"""Stored field: the shop's id of a session whose stored id is a hash, without credentials."""

PHONE_COUNTRY = "phone_country"
"""Stored field: the country given with a national number, as the shop wrote it."""

BOT = "bot"
"""Stored field: more events in a minute than a human makes."""

_CUSTOMER = {
    "full_name": "name",
    "phone_number": "phone",
    "email": "email",
    "country_code": "country",
    "language": "language",
    "time_zone": "time_zone",
    "region": "region",
}
CONSENT: dict[Channel, str] = {"call": "consent.call", "whatsapp": "consent.whatsapp"}
"""Stored field of the answer for each channel: `true`, `false`, or empty."""
GIVEN_AT, SOURCE = "consent.given_at", "consent.source"
_CONSENT = {"call": CONSENT["call"], "whatsapp": CONSENT["whatsapp"], "given_at": GIVEN_AT, "source": SOURCE}
_ENGAGEMENT = {"preferred_channel": "channel", "reason": "reason"}


def fields_of(event: ActivityEvent) -> dict[str, str]:
    """Return an event's data as stored fields; an empty text clears one."""
    fields: dict[str, str] = {}
    if event.customer is not None:
        _put(fields, event.customer, _CUSTOMER)
        number = fields.get("phone")
        if number is not None and not number.startswith("+"):
            fields[PHONE_COUNTRY] = fields.get("country", "")
        if event.customer.consent is not None:
            _put(fields, event.customer.consent, _CONSENT)
            # No answer doesn't replace an answer: a refusal holds until a yes.
            fields = {name: value for name, value in fields.items() if value or name not in _CONSENT.values()}
    if "cart" in event.model_fields_set:
        fields["cart"] = _pack(event.cart)
    if event.engagement is not None:
        _put(fields, event.engagement, _ENGAGEMENT)
        for key, value in (event.engagement.metadata or {}).items():
            fields[METADATA + key] = "" if value is None else to_json(value).decode()
    if event.type == "order_completed":
        fields["order"] = str(of_order(event) or "")
    if event.source:
        fields |= {SOURCE_OF + part: event.source for part in _parts(event)}
    return fields


def sources_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the source of each part of a session: `checkout.web`, a type of event, `customer` or `cart`."""
    return {name.removeprefix(SOURCE_OF): text for name, text in fields.items() if name.startswith(SOURCE_OF) and text}


def _parts(event: ActivityEvent) -> Iterator[str]:
    """Yield what an event says something about."""
    if event.type != "activity":
        yield event.type
    elif not event.lacks_stage:
        yield f"{event.flow_stage}.{event.platform}"
    yield from (part for part in ("customer", "cart") if getattr(event, part) is not None)


def read_answer(text: str) -> bool | None:
    """Return whether the stored answer about a channel is a yes; None if there is none."""
    return None if not text else text == "true"


def cart_of(fields: Mapping[str, str]) -> Cart | None:
    """Return the stored cart; None if there was none or it was emptied."""
    packed = fields.get("cart")
    return Cart.unpack(packed) if packed else None


def was_emptied(fields: Mapping[str, str]) -> bool:
    """Whether the shopper had a cart and emptied it."""
    return fields.get("cart") == ""


def metadata_of(fields: Mapping[str, str]) -> dict[str, object]:
    """Return the stored metadata in stored order."""
    return {
        name.removeprefix(METADATA): json.loads(value)
        for name, value in fields.items()
        if name.startswith(METADATA) and value
    }


def is_bot(fields: Mapping[str, str]) -> bool:
    """Whether the shop marked the session as a bot (`engagement.metadata.bot`), or ingest detected one."""
    stated = fields.get(f"{METADATA}bot", "")
    return fields.get(BOT) == "1" or stated.strip('"').lower() not in {"", "0", "false", "no", "null"}


def _pack(cart: Cart | None) -> str:
    """Return a cart in stored form, without empty lines; an empty text for an empty cart."""
    # The fast path for nearly all carts: copying a model takes longer than packing it.
    if cart is not None and cart.items and cart.total_value != 0 and 0 not in [item.quantity for item in cart.items]:
        return cart.pack()
    if cart is None or cart.is_empty:
        return ""
    if cart.items is None:
        return cart.pack()
    return cart.model_copy(update={"items": [item for item in cart.items or () if item.quantity != 0]}).pack()


def _put(fields: dict[str, str], part: BaseModel, names: Mapping[str, str]) -> None:
    for attribute in part.model_fields_set:
        name = names.get(attribute)
        if name is not None:
            value = getattr(part, attribute)
            fields[name] = "" if value is None else str(value).lower() if isinstance(value, bool) else value
