"""Amounts of carts and orders in whole minor units, because sums of floats drift. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from detectors.activity import ActivityEvent, Cart
from detectors.normalize.money import currency, decimals_of

MOST_UNITS = 2**53
"""The largest count that Lua represents exactly."""


class MinorUnits(NamedTuple):
    """An amount of a currency (ISO 4217) in its minor units."""

    currency: str
    units: int

    def __str__(self) -> str:
        return f"{self.currency} {self.units}"


def minor_units(value: float | None, code: str | None) -> MinorUnits | None:
    """Return an amount in the minor units of its currency; None if either is missing or invalid."""
    known = currency(code or "")
    if value is None or known is None:
        return None
    units = int(Decimal(repr(value)).scaleb(decimals(known)).to_integral_value(ROUND_HALF_EVEN))
    return MinorUnits(known, units) if units <= MOST_UNITS else None


def decimals(code: str) -> int:
    """Return the number of decimals of a currency; 2 for those without minor units, such as gold."""
    try:
        return decimals_of(code)
    except ValueError:
        return 2


def amount(units: int, code: str) -> Decimal:
    """Return an exact amount from its minor units."""
    return Decimal(units).scaleb(-decimals(code))


def of_order(event: ActivityEvent) -> MinorUnits | None:
    """Return the value that an order states, or else the total of the cart in it."""
    return minor_units(event.order_value, event.currency) or (
        of_cart(event.cart) if event.order_value is None else None
    )


def of_cart(cart: Cart | None) -> MinorUnits | None:
    """Return a cart's total."""
    return None if cart is None else minor_units(cart.total_value, cart.currency)


def of_stored(fields: Mapping[str, str]) -> MinorUnits | None:
    """Return the total of the cart in a session's fields."""
    packed = fields.get("cart")
    return of_cart(Cart.unpack(packed)) if packed else None
