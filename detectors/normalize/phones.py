"""Phone numbers: from what people type into forms to E.164.

Read strictly, because this number is called: a number with two readings has none. To find the people that a text might
name, see `identities`, which reads as leniently as possible.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from detectors.normalize.countries import country
from detectors.normalize.number_kinds import MOBILES, is_not_shopper, is_valid, kind
from detectors.normalize.number_readings import PhoneLine, tiers
from detectors.normalize.written_numbers import written

_KEPT = 65_536
_OVERLONG = 11
_SHORTEST = 10  # characters of E.164; shorter readings are of tiny countries, and the number is a local one
_DECIMAL = re.compile(r"\s*\+?[0-9]{5,15}[.,]0{1,2}\s*")
"""The form in which spreadsheets export a number. With the zero as a digit it can be another person's: 3201234567.0 in
Belgium."""


@dataclass(frozen=True, slots=True)
class PhoneReading:
    """How a number was read."""

    e164: str
    """The number to contact; empty if there is none."""
    why_not: str
    """Why there is none, as a predicate (`has letters`); empty if there is one."""
    note: str
    """One line for the operator, with the number: `"0055 51 …" with BR → +5551…: 00 read as +`."""


@lru_cache(maxsize=_KEPT)
def phone(text: str, country_code: str | None) -> str | None:
    """Return the number to contact in E.164; None if it is invalid or ambiguous, or no shopper can have it.

    `country_code` (ISO 3166-1 alpha-2) is the customer's. A number of another country needs its international prefix.
    Results are cached.
    """
    line, _ = _line(text, country_code)
    return None if line is None else line.e164


def reading(text: str, country_code: str | None) -> PhoneReading:
    """Return how a number is read, and why."""
    line, why_not = _line(text, country_code)
    given = f'"{text}" with {country_code or "no country"}'
    if line is None:
        return PhoneReading("", why_not, f"{given} {why_not}")
    return PhoneReading(line.e164, "", f"{given} → {line.e164}: {', '.join(line.rules)}")


@lru_cache(maxsize=4096)
def country_of_phone(e164: str) -> str | None:
    """Return the country (ISO 3166-1 alpha-2) of a valid number.

    None for numbers of no country (+800 …) and for territories that have no ISO code.
    """
    return country(phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or "")


def _line(text: str, country_code: str | None) -> tuple[PhoneLine | None, str]:
    if _DECIMAL.fullmatch(text):
        return None, "is a decimal number: its last zero is none of its digits"
    number = written(text)
    if number.extension:
        return None, "has an extension: it is a company's line"
    if not number.digits:
        return None, number.strange or "is empty"
    if number.strange:
        return None, number.strange
    found, why_not = _only(tiers(number, country_code))
    if found is not None and number.parts:
        # `030 1234567/68` is two numbers, `030/1234567` is one.
        first, _ = _only(tiers(written(number.parts[0]), country_code))
        if first is not None and first.e164 != found.e164:
            return None, "holds more than one number"
    return found, why_not


def _only(groups: Iterable[list[PhoneLine]]) -> tuple[PhoneLine | None, str]:
    """Return the only line of the first tier that has any, or why there is none."""
    group = next(filter(None, groups), [])
    if not group:
        return None, "is not a valid number"
    group = _without_overlong(group)
    if not group:
        return None, "is longer than a number of its country"
    numbers = sorted({line.e164 for line in group})
    impossible = next((line for line in group if not is_valid(line.code, line.national)), None)
    if impossible is not None:
        return None, impossible.doubt
    if len(numbers) > 1 and max(map(len, numbers)) < _SHORTEST:
        return None, "is too short for a number"
    if len(numbers) > 1:
        return None, f"has two readings: {' and '.join(numbers[:2])}"
    line = group[0]
    why_not = line.doubt or is_not_shopper(line.code, line.national)
    return (None, line.doubt or f"is {why_not}") if why_not else (line, "")


def _without_overlong(group: list[PhoneLine]) -> list[PhoneLine]:
    """Leave out fixed lines that only a lenient plan has if the same digits are a complete mobile number.

    The plan allows German fixed lines of up to 15 digits. The regulator allows 11, and the mobile `49 151 12345678`
    isn't a fixed line in the area of 04915.
    """
    group = [line for line in group if line.code != "49" or len(line.national) <= _OVERLONG]
    if any(kind(line.code, line.national) in MOBILES for line in group):
        return [line for line in group if kind(line.code, line.national) in MOBILES or len(line.national) < _OVERLONG]
    return group
