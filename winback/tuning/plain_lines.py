"""Reads the usual line in a third of the time: activity, with a customer and a cart in the canonical form or without.

Every other line is left to `detectors.parsing`. For those that are read here, it gives the same (a test compares them).
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TypeGuard, cast

from pydantic_core import from_json

from detectors.activity import MAX_CART_ITEMS, MAX_EVENT_BYTES
from detectors.normalize.names import person_name
from detectors.normalize.session_ids import is_plain_id
from detectors.normalize.text import MAX_TEXT
from detectors.sequence import ACTIVITY_RANK, NO_DATE_MS, RANK_SPAN, epoch_ms
from thresholds.observed import Observed
from winback.tuning.said import EMPTIED, FILLED, NOTHING, Said

_MINIMAL = frozenset({"session_id", "type", "occurred_at", "flow_stage", "platform"})
_PARTS = _MINIMAL | {"customer", "cart"}
_CUSTOMER = frozenset({"full_name", "phone_number", "email", "country_code", "language"})
_CART = frozenset({"total_value", "currency", "items"})
_MOST_MONEY = 1e12
_MOST_PIECES = 1_000_000
_NUMBERS = (int, float)
_NOTHING: Mapping[str, str] = {}
_new = tuple.__new__
_is_name = lru_cache(maxsize=4096)(lambda text: person_name(text) is not None)


def read_plain(line: bytes) -> Observed | None:
    """Return the event of a usual line without values of carts; None if `detectors.parsing` has to read it."""
    if len(line) > MAX_EVENT_BYTES:
        return None
    try:
        event = from_json(line)
        session, moment = event["session_id"], event["occurred_at"]
        rank = ACTIVITY_RANK[event["flow_stage"], event["platform"]]
        # The first is the same check as in detectors.normalize.moments.iso.
        if moment[10] != "T" or event["type"] != "activity" or not is_plain_id(session):
            return None
        at_ms = epoch_ms(datetime.fromisoformat(moment))
    except (ValueError, LookupError, TypeError):
        return None
    said = None if len(event) == len(_MINIMAL) else _said(event)
    if at_ms < NO_DATE_MS or (said is None and len(event) != len(_MINIMAL)):
        return None
    if said == NOTHING:
        said = None
    stamp = at_ms * RANK_SPAN + rank
    # Several times as fast as the constructor.
    return _new(Observed, (stamp, at_ms, session, stamp, True, False, False, (), (), said))


def _said(event: Mapping[str, object]) -> Said | None:
    if not event.keys() <= _PARTS:
        return None
    customer, cart = event.get("customer", _NOTHING), None
    if not _is_customer(customer):
        return None
    if "cart" in event and (cart := _cart(event["cart"])) is None:
        return None
    phone, country = customer.get("phone_number"), customer.get("country_code")
    phone_country = (country or "") if phone is not None and phone[:1] != "+" else None
    named = _is_name(customer["full_name"]) if "full_name" in customer else None
    email = customer["email"] != "" if "email" in customer else None
    said: Said = _new(Said, (named, phone, phone_country, country, None, None, None, None, cart, None, email))
    return said


def _is_customer(customer: object) -> TypeGuard[dict[str, str]]:
    if type(customer) is not dict or not customer.keys() <= _CUSTOMER:
        return False
    for text in customer.values():
        if type(text) is not str or len(text) > MAX_TEXT or text != text.strip():
            return False
    return True


def _cart(cart: object) -> str | None:
    """Return the state of a cart in the canonical form; None if it isn't."""
    if type(cart) is not dict or not cart.keys() <= _CART:
        return None
    total, currency, items = cart.get("total_value", 1), cart.get("currency", ""), cart.get("items", [{}])
    if type(total) not in _NUMBERS or not 0 <= total <= _MOST_MONEY:
        return None
    if type(currency) is not str or len(currency) > MAX_TEXT or type(items) is not list or len(items) > MAX_CART_ITEMS:
        return None
    is_empty = not cart or total == 0
    pieces = 0
    for item in items:
        if type(item) is not dict:
            return None
        for name, value in item.items():
            if not _fits(name, value):
                return None
        pieces += item.get("quantity") != 0
    return EMPTIED if is_empty or not pieces else FILLED


def _fits(name: str, value: object) -> bool:
    if name in {"name", "sku"}:
        return type(value) is str and len(value) <= MAX_TEXT
    if name == "quantity":
        return type(value) is int and 0 <= value <= _MOST_PIECES
    if name == "price":
        return type(value) in _NUMBERS and -_MOST_MONEY <= cast("float", value) <= _MOST_MONEY
    return False
