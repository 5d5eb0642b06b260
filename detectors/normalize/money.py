"""Currencies and amounts."""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from iso4217 import Currency


@lru_cache(maxsize=512)
def currency(text: str) -> str | None:
    """Return the ISO 4217 code; None when there is no such currency."""
    try:
        return str(Currency(text.strip().upper()).code)
    except ValueError:
        return None


def amount(value: float, currency_code: str | None) -> int | float:
    """Return money as a JSON number without binary noise, rounded to what the currency can express (2 if unknown)."""
    exponent = None if currency_code is None else Currency(currency_code).exponent
    decimals = 2 if exponent is None else exponent  # gold (XAU) and the like have none
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
