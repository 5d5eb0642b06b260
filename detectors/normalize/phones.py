"""Phone numbers: from what people type into forms to E.164."""

import re
from functools import lru_cache

import phonenumbers

from detectors.normalize.countries import country

_NO_SEPARATORS = str.maketrans("", "", " -.()")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MEXICO_OLD_MOBILE = "+521"
_MEXICO_DIGITS = 14  # +52 1 and ten digits: how mobiles were written before August 2019


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


def _valid(text: str, country_code: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country_code)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
