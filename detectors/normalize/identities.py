"""Identities: canonical texts for a person, from a phone number and an e-mail address.

A phone line has one identity however its number is written, and so has a mailbox. A phone's identity begins with `+`
and an address's holds an `@`, so the two never collide.

An identity isn't the number to dial: `+54 9 11 …` and `+54 11 …` are two ways to dial one Argentine.
Tags and dots of an address (`jane+shop@…`) are kept. Marketplaces give each buyer an address with its own tag, so
dropping tags would merge all their buyers into one person.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice

from detectors.normalize.countries import country
from detectors.normalize.emails import email
from detectors.normalize.number_kinds import MARKETS, calling_code, is_valid, plan
from detectors.normalize.number_readings import Tier, lines, tiers
from detectors.normalize.phones import phone
from detectors.normalize.renumbered import line_of
from detectors.normalize.written_numbers import LONGEST, WrittenNumber, written

MOST = 12
"""The most identities that one event can name. Above it, the likeliest are kept."""
_LOOK_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1"})
_ALIKE_ONLY = re.compile(r"[\doil\s+().-]{1,40}", re.IGNORECASE)
_MOST_ADDRESSES = 4
_LONGEST_ADDRESSES = 1024
_FRACTION = re.compile(r"^(\s*\+?[0-9]{5,15})[.,]0{1,2}\s*$")
"""The form in which spreadsheets export a number: 5511987654321.0."""
_FEWEST_DIGITS = 5
_MOST_DIGITS = 15
_MASKED = re.compile(r"(.+@.+)-[0-9a-z]+\.ct\.vtex\.com\.br", re.IGNORECASE)
"""The form of an address in VTEX orders: the customer's own plus an alias suffix."""
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")


def identities_of(phone_number: str, country_code: str, email_address: str) -> tuple[str, ...]:
    """Return the identities of the person that a contact with these values would reach: at most a phone and an e-mail.

    Each text is as the shop wrote it and can be empty. The phone's identity comes first. Empty if nothing is valid.
    """
    number = phone(phone_number, country(country_code)) if phone_number else None
    address = email(email_address) if email_address else None
    return tuple(filter(None, (number and of_number(number), address and address.lower())))


def named_by(phone_number: str, country_code: str, email_address: str) -> tuple[str, ...]:
    """Return every identity that these values might name, for signals that stop a contact.

    They are read as leniently as possible.

    Contains `identities_of` for the same values. At most `MOST`.
    """
    sure = identities_of(phone_number, country_code, email_address)
    numbers = _numbers(phone_number, country(country_code) if country_code else None) if phone_number else ()
    return tuple(dict.fromkeys(chain(sure, islice(_addresses(email_address), _MOST_ADDRESSES), numbers)))[:MOST]


def of_number(e164: str) -> str:
    """Return the identity of an E.164 number: one text for all forms in which its line can be dialled."""
    code = calling_code(e164[1:]) or ""
    new_code, national = line_of(code, e164[1 + len(code) :])
    return f"+{new_code}{national}"


@lru_cache(maxsize=16_384)
def _numbers(text: str, country_code: str | None) -> tuple[str, ...]:
    """Return the identities of every number that a text might hold."""
    number = written(_FRACTION.sub(r"\1", text[:LONGEST]))
    texts = [number, *map(written, number.parts)]
    if number.strange and _ALIKE_ONLY.fullmatch(text):
        texts.insert(0, written(text.lower().translate(_LOOK_ALIKE)))
    found = dict.fromkeys(chain.from_iterable(_named(one, country_code) for one in texts))
    return tuple(found) or tuple(_raw(number, country_code))


def _named(number: WrittenNumber, country_code: str | None) -> Iterator[str]:
    groups = list(tiers(number, country_code))
    yield from _identities(groups)
    # The + can be missing, or a shop's form can have added it to a national number.
    if not number.plus:
        yield from _identities(tiers(number._replace(plus=True), country_code))
        # The country can be the default of a form.
        if all(line.doubt for line in chain.from_iterable(groups)):
            for market in MARKETS:
                yield from _identities(islice(filter(None, tiers(number, market)), 1))
    elif country_code:
        yield from _identities(tiers(number._replace(plus=False), country_code))


def _identities(groups: Iterable[Tier]) -> Iterator[str]:
    return (of_number(line.e164) for line in lines(groups) if is_valid(line.code, line.national))


def _raw(number: WrittenNumber, country_code: str | None) -> Iterator[str]:
    """Yield digits that aren't a valid number: a later event can name them the same way."""
    digits = number.digits.lstrip("0")
    if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        own = plan(country_code)
        yield f"+{digits}" if number.plus or own is None else f"+{own.country_code}{digits}"


def _addresses(text: str) -> Iterator[str]:
    for found in _ADDRESS.findall(text[:_LONGEST_ADDRESSES]):
        address = found.strip(".")
        yield (email(address) or address).lower()
        if behind := _MASKED.fullmatch(address):
            yield (email(behind[1]) or behind[1]).lower()
