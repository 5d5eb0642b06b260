"""What a cart or an order is worth, in minor units: sums of those do not drift as sums of floats do."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from iso4217 import Currency

from detectors.activity import ActivityEvent, Cart
from detectors.normalize.money import currency
from state.attribution import Money

MOST_UNITS = 2**53
"""Lua counts no further exactly."""


def money(value: float | None, code: str | None) -> Money | None:
    """Return an amount in the minor units of its currency; None when either is missing or makes no sense."""
    known = currency(code or "")
    if value is None or known is None:
        return None
    units = int(Decimal(repr(value)).scaleb(decimals(known)).to_integral_value(ROUND_HALF_EVEN))
    return Money(known, units) if units <= MOST_UNITS else None


def decimals(code: str) -> int:
    """Return how many digits a currency has after the point; 2 for those that have none to speak of, such as gold."""
    try:
        exponent = Currency(code).exponent
    except ValueError:
        return 2
    return 2 if exponent is None else exponent


def amount(units: int, code: str) -> Decimal:
    """Return minor units as an amount of their currency, exactly."""
    return Decimal(units).scaleb(-decimals(code))


def of_order(event: ActivityEvent) -> Money | None:
    """Return what an order says that it is worth: its own value, else that of the cart it came with."""
    return money(event.order_value, event.currency) or (of_cart(event.cart) if event.order_value is None else None)


def of_cart(cart: Cart | None) -> Money | None:
    """Return a cart's total."""
    return None if cart is None else money(cart.total_value, cart.currency)


def of_stored(fields: Mapping[str, str]) -> Money | None:
    """Return the total of the cart in a session's fields."""
    packed = fields.get("cart")
    return of_cart(Cart.unpack(packed)) if packed else None
