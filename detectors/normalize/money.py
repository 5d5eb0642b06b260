"""Currencies and amounts."""

import re
import unicodedata
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from detectors.normalize.money_usage import COMMA_GROUPS, POINT_GROUPS, SYMBOLS, WITHOUT_DECIMALS, WORDS
from detectors.normalize.text import decode_entities

_NUMBER = re.compile(r"[0-9.,'\u2019 ]*[0-9][0-9.,'\u2019 ]*")
_MACHINE = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_WORD = re.compile(r"[^\s0-9.,'\u2019+-][^\s0-9,'\u2019+-]*")
_GROUPED = re.compile(r"[0-9]{1,3}(?:S[0-9]{3})+|[0-9]{1,2}(?:S[0-9]{2})*S[0-9]{3}")  # the second form is India's
_NO_DECIMALS = re.compile(r"[.,]\s*[-\u2013\u2014]{1,2}$")  # 149,- and 149.--
_THOUSAND = 3
_THREE_DECIMALS = 3
_LONGEST = 64


@lru_cache(maxsize=512)
def currency(text: str) -> str | None:
    """Return the ISO 4217 code; None if there is no such currency."""
    from iso4217 import Currency

    written = text.strip()
    try:
        return str(Currency(written.upper()).code)
    except ValueError:
        return SYMBOLS.get(decode_entities(written).strip().lower())


@lru_cache(maxsize=512)
def decimals_of(currency_code: str) -> int:
    """Return the number of decimals of a currency; 2 for those without minor units, such as gold.

    Raises:
        ValueError: There is no such currency.
    """
    from iso4217 import Currency

    exponent: int | None = Currency(currency_code).exponent
    return 2 if exponent is None else exponent


def amount(value: float, currency_code: str | None) -> int | float:
    """Return money as a JSON number without binary noise, rounded to the currency's decimals (2 if unknown)."""
    decimals = 2 if currency_code is None else decimals_of(currency_code)
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


@lru_cache(maxsize=4096)
def read(text: str, currency_code: str | None) -> float | None:
    """Return the amount that a text states in its currency; None unless it has exactly one reading.

    "149.900" is 149900 in COP. In EUR it has no reading, because it could also be 149.9. A text that names another
    currency than `currency_code` has no reading.
    """
    written = _plain(text)
    if not written or len(written) > _LONGEST:
        return None
    if _MACHINE.fullmatch(written):
        return _number(written)
    sign, written = _sign(_NO_DECIMALS.sub("", written))
    named: set[str] = set()
    for word in _WORD.findall(written):
        code = currency(word)
        if code is not None:
            named.add(code)
        elif word.lower() not in WORDS:
            return None
    code = currency(currency_code or "") or next(iter(named), None)
    if named - {code}:
        return None
    if sign == 1:
        sign, written = _sign(_WORD.sub(" ", written).strip())
    digits = _WORD.sub(" ", written).strip()
    value = _digits(digits.strip(), code) if _NUMBER.fullmatch(digits) else None
    return None if value is None else sign * value


def _plain(text: str) -> str:
    """Return digits and signs of any script in ASCII, and every sort of space as a plain one."""
    found = unicodedata.normalize("NFKC", decode_entities(text)).translate(
        {0x066B: ".", 0x066C: "'", 0x2212: "-", 0x2013: "-", 0xB4: "'", ord("_"): " "}
    )
    digits = (str(unicodedata.decimal(char)) if char.isdecimal() else char for char in found)
    return " ".join("".join(digits).split())


def _sign(text: str) -> tuple[int, str]:
    if text.startswith("(") and text.endswith(")"):
        return -1, text[1:-1].strip()
    if text.startswith("-"):
        return -1, text[1:].strip()
    if text.endswith("-"):
        return -1, text[:-1].strip()
    return 1, text.removeprefix("+").strip()


def _digits(text: str, code: str | None) -> float | None:
    """Return the amount of digits with separators."""
    spaces = [space for space in " '\u2019" if space in text]
    if spaces:
        return _spaced(text, spaces[0]) if len(spaces) == 1 else None
    if "." in text and "," in text:
        return _both(text)
    mark = "." if "." in text else "," if "," in text else ""
    if mark and text.count(mark) > 1:
        return _number(text.replace(mark, "")) if _is_grouped(text, mark) else None
    whole, _, rest = text.partition(mark or ".")
    if mark and len(rest) == _THOUSAND and 1 <= len(whole) <= _THOUSAND and not whole.startswith("0"):
        return _three_digits(whole, mark, rest, code)
    return _number(f"{whole or 0}.{rest or 0}")


def _spaced(text: str, space: str) -> float | None:
    """Return the amount of 1 234,56 or 1'234.56: a separator after the groups can only precede decimals."""
    whole, mark, rest = text.replace(",", ".").partition(".")
    if not _is_grouped(whole, space) or (mark and not rest.isdigit()):
        return None
    return _number(f"{whole.replace(space, '')}.{rest or 0}")


def _both(text: str) -> float | None:
    """Return the amount of 1.234,56 or 1,234.56: the last separator precedes the decimals."""
    point = max(text.rfind("."), text.rfind(","))
    decimal, group = text[point], "," if text[point] == "." else "."
    whole, rest = text[:point], text[point + 1 :]
    if decimal in whole or not rest or not _is_grouped(whole, group):
        return None
    return _number(f"{whole.replace(group, '')}.{rest}")


def _three_digits(whole: str, mark: str, rest: str, code: str | None) -> float | None:
    """Return the amount of 149.900 or 149,900, which some currencies read as thousands and others don't."""
    groups = _number(whole + rest)
    if code is None:
        return None
    if decimals_of(code) == _THREE_DECIMALS:
        return _number(f"{whole}.{rest}") if mark == "." and code in COMMA_GROUPS else None
    if code in WITHOUT_DECIMALS:
        return groups
    customary = POINT_GROUPS if mark == "." else COMMA_GROUPS
    return groups if code in customary else None


def _is_grouped(text: str, mark: str) -> bool:
    return re.fullmatch(_GROUPED.pattern.replace("S", re.escape(mark)), text) is not None and not text.startswith("0")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
