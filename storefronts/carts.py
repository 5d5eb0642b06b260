"""Whole carts, in the form that an event has them."""

from collections.abc import Callable, Iterable

from detectors.activity import MAX_CART_ITEMS
from detectors.json_values import JsonObject
from storefronts.values import amount, label, quantity, short

_CURRENCY = 3


def currency(*values: object) -> str:
    """Return the first text that can be a currency code, in capitals; "" if there is none."""
    codes = (short(value).upper() for value in values)
    return next((code for code in codes if len(code) == _CURRENCY and code.isalpha() and code.isascii()), "")


def cart(items: Iterable[JsonObject], *, total: float | None, currency_code: str) -> JsonObject:
    """Return a cart; without items it was emptied. Items beyond the most that an event can have are left out."""
    found: JsonObject = {"items": list(items)[:MAX_CART_ITEMS]}
    if total is not None and total >= 0 and found["items"]:
        found["total_value"] = total
    if currency_code:
        found["currency"] = currency_code
    return found


def item(*, name: object, sku: object, pieces: object, price: float | None) -> JsonObject:
    """Return one line of a cart, without empty fields."""
    found = {"name": label(name), "sku": label(sku), "quantity": quantity(pieces), "price": price}
    return {key: value for key, value in found.items() if value not in {None, ""}}


def product(row: JsonObject, currency_code: str) -> JsonObject:
    """Return one line of a cart from a product of Segment's specification."""
    return item(
        name=row.get("name") or row.get("title"),
        sku=row.get("sku") or row.get("product_id"),
        pieces=row.get("quantity"),
        price=amount(row.get("price"), currency_code),
    )


def lines(rows: object, read: Callable[[JsonObject], JsonObject]) -> list[JsonObject] | None:
    """Return the lines of a list of which each is an object; None if it isn't one: that is no cart."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return [read(row) for row in rows]
