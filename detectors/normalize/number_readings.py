"""Every line that a written number can mean, the likeliest first. Pure.

Readings come in tiers, and an earlier tier wins over later ones. Two different lines in one tier are ambiguous, so
neither is contacted.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from typing import NamedTuple

from phonenumbers import PhoneMetadata

from detectors.normalize.number_kinds import calling_code, is_valid, main_plan, plan, plans_with
from detectors.normalize.renumbered import renumbered, replaced, second_readings
from detectors.normalize.written_numbers import WrittenNumber

AS_WRITTEN = "read with its country code"
NATIONAL = "read as a national number"
_ADDED = "read as if written with +"
_WORLDWIDE = "00"
_ELSEWHERE = ("011", "0011")
"""International prefixes of North America and Australia, which people in other countries write too."""


class PhoneLine(NamedTuple):
    """A valid number and the rules by which it was read."""

    code: str
    """Calling code."""
    national: str
    """The digits after the calling code."""
    rules: tuple[str, ...] = ()
    doubt: str = ""
    """Why this reading isn't enough to contact a person; empty for a plain number."""

    @property
    def e164(self) -> str:
        """The number in E.164."""
        return f"+{self.code}{self.national}"


Tier = list[PhoneLine]


def tiers(number: WrittenNumber, country_code: str | None) -> Iterator[Tier]:
    """Yield the tiers of readings. The first tier that isn't empty holds the meaning."""
    own = plan(country_code)
    ways = [_spelled(digits, plus=number.plus, own=own, rules=rules) for digits, rules in _spellings(number)]
    for group in zip_longest(*ways, fillvalue=()):
        yield list(chain.from_iterable(group))


def _spellings(number: WrittenNumber) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield number.digits, ()
    if number.zero >= 0:
        yield number.digits[: number.zero] + number.digits[number.zero + 1 :], ("(0) dropped",)


def _spelled(digits: str, *, plus: bool, own: PhoneMetadata | None, rules: tuple[str, ...]) -> Iterator[Tier]:
    if plus:
        zeros = digits.startswith(_WORLDWIDE)
        yield from _international(digits.removeprefix(_WORLDWIDE), (*rules, "00 after + dropped") if zeros else rules)
    elif own is not None:
        yield from _domestic(digits, own, rules)
    elif digits.startswith(_WORLDWIDE):
        yield from _international(digits.removeprefix(_WORLDWIDE), (*rules, "00 read as +"))
    else:
        yield from _of_no_country(digits, rules)


def _international(digits: str, rules: tuple[str, ...]) -> Iterator[Tier]:
    """Yield readings of digits that begin with a calling code."""
    code = calling_code(digits)
    if code is not None:
        rest = digits.removeprefix(code)
        yield list(_today(code, rest, rules))
        yield list(_corrected(code, rest, main_plan(code), rules))


def _domestic(digits: str, own: PhoneMetadata, rules: tuple[str, ...]) -> Iterator[Tier]:
    """Yield readings of digits without + in a customer's country."""
    code = str(own.country_code)
    if digits.startswith(_WORLDWIDE + code):
        yield from _international(digits.removeprefix(_WORLDWIDE), (*rules, "00 read as +"))
    else:
        yield from ([], [])
    dialled = [*_dialled(digits, own)]
    yield list(_at_home(digits, own, dialled, rules))
    yield list(_corrected_at_home(digits, own, dialled, rules))
    yield list(_abroad(digits, own, dialled, rules))


def _at_home(
    digits: str, own: PhoneMetadata, dialled: list[tuple[str, str]], rules: tuple[str, ...]
) -> Iterator[PhoneLine]:
    code = str(own.country_code)
    for stem, rule in [(digits, NATIONAL), *_without_prefix(digits, own)]:
        yield from _valid(code, stem, (*rules, rule))
    for rest, rule in [(digits, _ADDED), *dialled]:
        if rest.startswith(code):
            yield from _today(code, rest.removeprefix(code), (*rules, rule))


def _corrected_at_home(
    digits: str, own: PhoneMetadata, dialled: list[tuple[str, str]], rules: tuple[str, ...]
) -> Iterator[PhoneLine]:
    code = str(own.country_code)
    yield from _old(code, digits, own, rules)
    for prefix in _ELSEWHERE:
        if digits.startswith(prefix + code):
            yield from _all(code, digits.removeprefix(prefix + code), own, (*rules, f"{prefix} read as +"))
    for rest, rule in [(digits, _ADDED), *dialled]:
        if rest.startswith(code):
            yield from _corrected(code, rest.removeprefix(code), own, (*rules, rule))


def _abroad(
    digits: str, own: PhoneMetadata, dialled: list[tuple[str, str]], rules: tuple[str, ...]
) -> Iterator[PhoneLine]:
    """Yield readings as a foreign number: one with an international prefix can be used, one without can't."""
    code = str(own.country_code)
    if digits.startswith("0") and is_valid(code, digits.lstrip("0")):
        yield PhoneLine(code, digits.lstrip("0"), (*rules, "zeros dropped"), "has a zero too many")
    prefixes = (prefix for prefix in (_WORLDWIDE, *_ELSEWHERE) if digits.startswith(prefix))
    for rest, rule in [*dialled, *((digits.removeprefix(found), f"{found} read as +") for found in prefixes)]:
        found_code = calling_code(rest)
        if found_code == code:
            yield PhoneLine(
                code, rest.removeprefix(code), (*rules, rule), "is not a valid number of the customer's country"
            )
        elif found_code is not None:
            yield from _today(found_code, rest.removeprefix(found_code), (*rules, rule))
    found_code = calling_code(digits)
    if found_code not in {None, code}:
        for line in _today(str(found_code), digits.removeprefix(str(found_code)), (*rules, _ADDED)):
            yield line._replace(doubt="would be a number of another country, which must be written with +")


def _of_no_country(digits: str, rules: tuple[str, ...]) -> Iterator[Tier]:
    """Yield readings of digits without + and country: as international ones, unless a plan has them as national."""
    international = _international(digits, (*rules, _ADDED))
    today = next(international, [])
    stem = digits.removeprefix("0")
    for code in plans_with(stem):
        today.append(PhoneLine(code, stem, (*rules, NATIONAL), "needs a country: it is written without +"))
    yield today
    yield from international


def _today(code: str, rest: str, rules: tuple[str, ...]) -> Iterator[PhoneLine]:
    """Yield readings of the digits after a calling code by today's plan."""
    yield from _valid(code, rest, rules or (AS_WRITTEN,))
    if rest.startswith(code):
        yield from _valid(code, rest.removeprefix(code), (*rules, "country code written twice"))


def _valid(code: str, national: str, rules: tuple[str, ...]) -> Iterator[PhoneLine]:
    """Yield the line of a national number by today's plan, if it is valid."""
    if not is_valid(code, national):
        return
    new = replaced(code, national)
    if new is not None:
        yield PhoneLine(new[0], new[1], _joined(rules, new[2]))
        return
    yield PhoneLine(code, national, rules)
    for other_code, other, rule in second_readings(code, national):
        yield PhoneLine(other_code, other, _joined(rules, rule))


def _corrected(code: str, rest: str, own: PhoneMetadata | None, rules: tuple[str, ...]) -> Iterator[PhoneLine]:
    """Yield readings of the digits after a calling code in forms that are out of use."""
    yield from _all(code, rest, own, rules)
    for twice in (code, _WORLDWIDE + code):
        if rest.startswith(twice):
            yield from _all(code, rest.removeprefix(twice), own, (*rules, "country code written twice"))


def _all(code: str, rest: str, own: PhoneMetadata | None, rules: tuple[str, ...]) -> Iterator[PhoneLine]:
    for stem, rule in [(rest, ""), *_without_prefix(rest, own)]:
        yield from _valid(code, stem, _joined(rules, rule))
    yield from _old(code, rest, own, rules)


def _old(code: str, rest: str, own: PhoneMetadata | None, rules: tuple[str, ...]) -> Iterator[PhoneLine]:
    """Yield readings of a national number by plans that ended, with and without its trunk prefix."""
    for stem, rule in [(rest, ""), *_without_prefix(rest, own), *_without_zero(rest)]:
        if stem != rest:
            yield from _valid(code, stem, _joined(rules, rule))
        for new_code, new, old_rule in renumbered(code, stem):
            if is_valid(new_code, new):
                yield PhoneLine(new_code, new, _joined(rules, rule, old_rule))


def _joined(rules: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return (*rules, *filter(None, more))


def _without_prefix(digits: str, own: PhoneMetadata | None) -> Iterator[tuple[str, str]]:
    """Yield the digits without the plan's trunk prefix and carrier code, or with the area that the plan implies."""
    if own is None:
        return
    trunk = own.national_prefix
    if trunk and digits.startswith(trunk):
        yield digits.removeprefix(trunk), "trunk zero dropped" if trunk == "0" else f"trunk prefix {trunk} dropped"
    pattern, template = own.national_prefix_for_parsing, own.national_prefix_transform_rule
    found = re.match(pattern, digits) if pattern else None
    if found is None or not found.end():
        return
    rest = digits[found.end() :]
    if template and found.re.groups and found.group(found.re.groups) is not None:
        made = found.expand(template) + rest
        dropped = digits.removesuffix(made)
        yield made, "local form completed" if dropped == digits else f"prefix {dropped} dropped"
    elif found.group() != trunk:
        yield rest, f"prefix {found.group()} dropped"


def _without_zero(digits: str) -> Iterator[tuple[str, str]]:
    if digits.startswith("0"):
        yield digits.removeprefix("0"), "leading zero dropped"


def _dialled(digits: str, own: PhoneMetadata) -> Iterator[tuple[str, str]]:
    """Yield the digits without the international prefix that a country dials, if it has its own."""
    found = re.match(own.international_prefix, digits) if own.international_prefix else None
    if found and found.group() != _WORLDWIDE:
        yield digits[found.end() :], f"{found.group()} read as +"


def lines(groups: Iterable[Tier]) -> Iterator[PhoneLine]:
    """Yield every line of the tiers once."""
    seen = set()
    for line in chain.from_iterable(groups):
        if line.e164 not in seen:
            seen.add(line.e164)
            yield line
