"""The formats of the contract that JSON Schema doesn't define, or defines more loosely than Yuno does.

Each check accepts a value of any type. It ignores values that aren't strings (`type` refuses those), and raises
ValueError with the rule as its message.
"""

import re
from collections.abc import Callable
from datetime import datetime

import langcodes
import phonenumbers
import pycountry
from iso4217 import Currency
from jsonschema import FormatChecker

_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
_CURRENCIES = frozenset(currency.code for currency in Currency)
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)+")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")

FORMATS = FormatChecker(formats=())


def _format(name: str, rule: str) -> Callable[[Callable[[str], bool]], Callable[[str], bool]]:
    """Register a check of a format, which returns whether a text follows the rule."""

    def register(holds: Callable[[str], bool]) -> Callable[[str], bool]:
        @FORMATS.checks(name, raises=ValueError)
        def check(value: object) -> bool:
            if isinstance(value, str) and not holds(value):
                raise ValueError(rule)
            return True

        return holds

    return register


@_format("iso-3166-1-alpha-2", "must be ISO 3166-1 alpha-2, like CO")
def _is_country(value: str) -> bool:
    return value in _COUNTRIES


@_format("iso-4217", "must be ISO 4217, like COP")
def _is_currency(value: str) -> bool:
    return value in _CURRENCIES


@_format("language-tag", "must be a language tag, like es or pt-BR")
def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None and langcodes.tag_is_valid(value)


@_format("email", "must be an e-mail address")
def _is_email(value: str) -> bool:
    local = value.partition("@")[0]
    return _EMAIL.fullmatch(value) is not None and ".." not in local and local == local.strip(".")


@_format("date-time-utc", "must be ISO 8601 in UTC, like 2025-05-13T22:45:00Z")
def _is_timestamp(value: str) -> bool:
    if _TIMESTAMP.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


@_format("phone-e164", "must be a string in E.164, like +573001234567")
def _is_e164(value: str) -> bool:
    if _E164.fullmatch(value) is None:
        return False
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise ValueError("begins with no country's calling code") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("is not a valid number of any telephone")
    # The parser forgives a national prefix in the middle (+44 0 20...), which can't be dialled.
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != value:
        raise ValueError("has digits that don't belong into E.164")
    return True
