"""Reading files of phone numbers: one a line, CSV with a heading, or hashes as the opt-out list exports them."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from detectors.normalize import countries, phones
from state.optouts import PERSON
from state.people import person_of
from worker.errors import StartError

_PHONE_HEADS = frozenset(
    {"phone", "phone_number", "phonenumber", "telephone", "mobile", "msisdn", "customer.phone_number"}
)
_COUNTRY_HEADS = frozenset({"country", "country_code", "customer.country_code"})
_DELIMITERS = ",;\t"
_NOT_A_NUMBER = "is not a valid phone number; write it with + and the country code, or name its country"


@dataclass(frozen=True, slots=True)
class Found:
    """What a line says: a person, or what is wrong with it. The line itself is not repeated."""

    person: str = ""
    problem: str = ""


def read_people(lines: Iterable[str], country: str | None, secret: bytes) -> Iterator[tuple[int, Found]]:
    """Read line by line; yields the number of each line (from 1) that is not empty, and what it says.

    Raises:
        StartError: the country is unknown, or a heading names no column for the phone number.
    """
    code = countries.country(country) if country else None
    if country and code is None:
        raise StartError(f"--country: {country[:64]!r} is not a country: write CO, COL or Colombia")
    rest = iter(lines)
    first = next(rest, "").removeprefix("\ufeff")
    columns = _columns(first)
    if columns is None:
        for line, text in enumerate(chain([first], rest), 1):
            if text.strip():
                yield line, _found(text.strip().strip('"'), code, secret)
        return
    delimiter, at_phone, at_country = columns
    reader = csv.reader(rest, delimiter=delimiter)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            phone = cells[at_phone].strip() if at_phone < len(cells) else ""
            named = cells[at_country].strip() if at_country is not None and at_country < len(cells) else ""
            yield reader.line_num + 1, _found(phone, countries.country(named) if named else code, secret)


def _columns(heading: str) -> tuple[str, int, int | None] | None:
    """Return the delimiter and the places of phone and country; None when the first line is no heading."""
    delimiter = next((found for found in _DELIMITERS if found in heading), ",")
    heads = [head.strip().strip('"').lower() for head in heading.split(delimiter)]
    phone = next((place for place, head in enumerate(heads) if head in _PHONE_HEADS), None)
    if phone is None:
        if len(heads) > 1 and not any(char.isdigit() for char in heading):
            raise StartError(f"line 1: none of the columns is called phone: {', '.join(heads)[:200]}")
        return None
    return delimiter, phone, next((place for place, head in enumerate(heads) if head in _COUNTRY_HEADS), None)


def _found(text: str, code: str | None, secret: bytes) -> Found:
    if PERSON.fullmatch(text):
        return Found(text)
    number = phones.phone(text, code)
    return Found(person_of(number, secret)) if number else Found(problem=_NOT_A_NUMBER)
