"""The kind of a number under its country's plan: whether it is valid, and whether a shopper can have it."""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

MOBILES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
# Numbers of all other kinds lead to a company, a machine or a bill.
_SHOPPERS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
_NAMES = {
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a follow-me number, billed like a premium-rate one",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company's number",
    PhoneNumberType.VOICEMAIL: "a voicemail box",
}
_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
MARKETS = ("CO", "MX", "BR", "AR", "CL", "PE", "EC", "UY", "CR", "PA", "GT", "DO", "US", "ES")
"""Countries that are tried first for a number without a country."""
_NO_COUNTRY = "001"
_MOST_LENGTHS = 3
_MOST_NATIONAL = 17  # the most digits that phonenumbers accepts


def is_valid(code: str, national: str) -> bool:
    """Whether the plan assigns this number: `code` is the calling code, `national` the rest."""
    return kind(code, national) != PhoneNumberType.UNKNOWN


@lru_cache(maxsize=16_384)
def kind(code: str, national: str) -> int:
    """Return the `PhoneNumberType` of a number; UNKNOWN if it is invalid."""
    if not national.strip("0") or len(national) > _MOST_NATIONAL:
        return int(PhoneNumberType.UNKNOWN)
    zeros = len(national) - len(national.lstrip("0"))
    number = phonenumbers.PhoneNumber(
        country_code=int(code),
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return int(phonenumbers.number_type(number))


def is_not_shopper(code: str, national: str) -> str:
    """Return why a shopper can't have this valid number, as `a toll-free number`; empty if one can."""
    if phonenumbers.region_code_for_country_code(int(code)) == _NO_COUNTRY:
        return "a number of no country"
    found = kind(code, national)
    return "" if found in _SHOPPERS else _NAMES.get(found, "a service number")


@lru_cache(maxsize=512)
def plan(country_code: str | None) -> PhoneMetadata | None:
    """Return the numbering plan of a country (ISO 3166-1 alpha-2); None if it has none."""
    return PhoneMetadata.metadata_for_region(country_code, None) if country_code else None


@lru_cache(maxsize=512)
def main_plan(code: str) -> PhoneMetadata | None:
    """Return the plan of the main country of a calling code."""
    return plan(phonenumbers.region_code_for_country_code(int(code)))


def calling_code(digits: str) -> str | None:
    """Return the calling code at the start of the digits. No code is a prefix of another."""
    return next((digits[:size] for size in (1, 2, 3) if digits[:size] in _CODES), None)


def plans_with(national: str) -> tuple[str, ...]:
    """Return the calling codes of all plans in which a shopper can have this national number."""
    found = (code for code, pattern in _by_length().get(len(national), ()) if pattern.fullmatch(national))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _by_length() -> dict[int, list[tuple[str, re.Pattern[str]]]]:
    """Return calling code and pattern of fixed lines and mobiles of every plan, by number of digits."""
    found: dict[int, list[tuple[str, re.Pattern[str]]]] = {}
    for region in (*MARKETS, *sorted(phonenumbers.SUPPORTED_REGIONS - set(MARKETS))):
        own = PhoneMetadata.metadata_for_region(region)
        if own is None:
            continue
        for length, pattern in (*_patterns(own.mobile), *_patterns(own.fixed_line)):
            found.setdefault(length, []).append((str(own.country_code), pattern))
    return found


def _patterns(kind_: PhoneNumberDesc | None) -> Iterator[tuple[int, re.Pattern[str]]]:
    """Yield the pattern of fixed lines or mobiles of one plan with each number of digits."""
    if kind_ is None or not kind_.national_number_pattern:
        return
    # Skip open plans, such as Germany's: they write national numbers with 0, and nearly all digits are valid.
    lengths = kind_.possible_length if len(kind_.possible_length) <= _MOST_LENGTHS else ()
    pattern = re.compile(kind_.national_number_pattern)
    for length in lengths:
        yield length, pattern
