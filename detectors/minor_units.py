"""Amounts of carts and orders in whole minor units: sums of those don't drift as sums of floats do. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from detectors.activity import ActivityEvent, Cart
from detectors.normalize.money import currency, decimals_of

MOST_UNITS = 2**53
"""Lua counts no further exactly."""


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
    """Return how many digits a currency has after the point; 2 for those that have none to speak of, such as gold."""
    try:
        return decimals_of(code)
    except ValueError:
        return 2


def amount(units: int, code: str) -> Decimal:
    """Return minor units as an amount of their currency, exactly."""
    return Decimal(units).scaleb(-decimals(code))


def of_order(event: ActivityEvent) -> MinorUnits | None:
    """Return what an order says that it is worth: its own value, else that of the cart it came with."""
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
