"""Reading what people type into forms: phone numbers, countries, languages, currencies and amounts."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

import langcodes
import phonenumbers
import pycountry
from email_validator import EmailNotValidError, validate_email
from iso4217 import Currency

Reader = Callable[[str], str | None]
"""Reads what somebody typed; None when it can't be made valid."""

_NO_LANGUAGE = frozenset({"x", "und", "mul", "mis", "zxx"})
"""What valid tags that name no language begin with: private, undetermined, several, uncoded, none (BCP 47, ISO 639)."""
_NO_SEPARATORS = str.maketrans("", "", " -.()")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MEXICO_OLD_MOBILE = "+521"
_MEXICO_DIGITS = 14  # +52 1 and ten digits: how mobiles were written before August 2019


@lru_cache(maxsize=1024)
def country(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of `co`, `COL` or `Colombia`; None when there is no such country."""
    try:
        return str(pycountry.countries.lookup(text.strip()).alpha_2)
    except LookupError:
        return None


@lru_cache(maxsize=65_536)
def phone(text: str, country_code: str | None) -> str | None:
    """Return a number in E.164, a national one read with the country; None when nobody can have it.

    Mexican mobiles in their old form (`+52 1 …`) are read as what they became in 2019.
    """
    found = _valid(text, country_code)
    if found is None:
        digits = "+" + "".join(char for char in text if char.isdigit())
        if digits.startswith(_MEXICO_OLD_MOBILE) and len(digits) == _MEXICO_DIGITS:
            found = _valid("+52" + digits.removeprefix(_MEXICO_OLD_MOBILE), None)
    return found


def likely_e164(text: str, country_code: str) -> str | None:
    """Return a number in E.164 without asking whether anybody can have it, where it is written so; else as `phone`.

    For telling quickly who is meant: a number that nobody can have leads to nobody.
    """
    digits = text.translate(_NO_SEPARATORS)
    if _E164.fullmatch(digits) and not digits.startswith(_MEXICO_OLD_MOBILE):
        return digits
    return phone(text, country(country_code))


@lru_cache(maxsize=4096)
def country_of_phone(e164: str) -> str | None:
    """Return the country (ISO 3166-1 alpha-2) that a valid number belongs to.

    None for numbers of no country (+800 …), and where the numbering plan names a territory that ISO has no code for.
    """
    return country(phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or "")


@lru_cache(maxsize=1024)
def language(text: str) -> str | None:
    """Return the BCP 47 tag of `es`, `pt_br` or `spa`; None when it names no language."""
    try:
        tag = langcodes.standardize_tag(text.strip().replace("_", "-"))
    except ValueError:
        return None
    return tag if langcodes.tag_is_valid(tag) and tag.partition("-")[0] not in _NO_LANGUAGE else None


def email(text: str) -> str | None:
    """Return an e-mail address in its usual form; None when it is not one. Nothing is looked up."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


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


def one_line(text: str) -> str:
    """Return a text with every run of white space and control characters as one space."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def warm_up() -> None:
    """Load what the readers load when first used, so that processes forked afterwards share it."""
    for number, country_code in (("+573001234567", "CO"), ("+5511987654321", "BR"), ("+525512345678", "MX")):
        phone(number, country_code)
    country("CO")
    language("pt_br")
    email("someone@example.com")
    currency("COP")


def _valid(text: str, country_code: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country_code)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
