"""Reads files of people who opted out: numbers, e-mail addresses, or hashes as written by `winback optout export`.

One value per line, or CSV with a header. Messages never repeat a line, because it contains personal data.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from detectors.normalize import countries
from state.optouts import PERSON
from state.people import person_of
from winback.operations.contact_input import is_email, resolve
from worker.errors import StartError

_HEADS: Mapping[str, frozenset[str]] = {
    "phone": frozenset(
        {
            *("phone", "phone_number", "phonenumber", "telephone", "tel", "mobile", "msisdn", "number"),
            *("telefono", "telefone", "celular", "movil", "numero"),
        }
    ),
    "email": frozenset(["email", "e-mail", "email_address", "mail", "correo", "correo_electronico"]),
    "country": frozenset(["country", "country_code", "pais"]),
    "person": frozenset(["person"]),
    "source": frozenset(["source"]),
    "recorded_at": frozenset(["recorded_at"]),
}
EXPORTED = ("person", "source", "recorded_at")
"""The columns that `winback optout export` writes."""
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
"""The name of a source."""
_DELIMITERS = ";\t,"
_ACCENTS = str.maketrans("áéíóúãõç", "aeiouaoc")
_UNDECODED = "\ufffd"
"""Replaces `é` if a file in another encoding is read as UTF-8."""
_NOT_A_NUMBER = "isn't a valid phone number; write it with + and the country code, or name its country"
_NOT_AN_ADDRESS = "isn't a valid e-mail address"
_SEVERAL = "can be read in {} ways, and all of them are on the list now; name its country"
_NOTHING = "has no phone number, no e-mail address and no hash"
_NOT_A_HASH = "isn't the hash of a person: 64 hexadecimal digits"
_NOT_A_SOURCE = "has an invalid source: use letters, digits and _.- (at most 32)"
_NOT_A_TIME = "has an invalid recorded_at: write 2026-11-30T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Line:
    """The content of one line. It can name a person and still have a problem in another column."""

    number: int
    people: tuple[str, ...] = ()
    """Hashes of every identity that it can mean."""
    source: str = ""
    """Empty: the line has none."""
    at_ms: int = 0
    problem: str = ""


def read_lines(lines: Iterable[str], country: str, secret: bytes) -> Iterator[Line]:
    """Read the lines that aren't empty. `country` (ISO 3166-1 alpha-2, or empty) is that of numbers without a +.

    Raises:
        StartError: A header has no column with a person, or the file isn't text.
    """
    rest = iter(lines)
    first = next(rest, "").removeprefix("\ufeff")
    if "\0" in first:
        raise StartError("line 1: isn't text in UTF-8: save the file as UTF-8, one number or address a line, or CSV")
    columns = _columns(first)
    reading = _Reading(country, secret)
    if columns is None:
        for number, text in enumerate(chain([first], rest), 1):
            if text := text.strip().strip(_DELIMITERS + '"').strip():
                yield reading.single(number, text)
        return
    delimiter, indexes = columns
    reader = csv.reader(rest, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Line(reader.line_num + 1, problem=f"isn't CSV: {problem}")
            continue
        if any(cell.strip() for cell in cells):
            row = {name: cells[index].strip() for name, index in indexes.items() if index < len(cells)}
            yield reading.row(reader.line_num + 1, row)


class _Reading:
    def __init__(self, country: str, secret: bytes) -> None:
        self._country = country
        self._secret = secret

    def single(self, number: int, text: str) -> Line:
        """Read a line of a file without a header."""
        cells = [cell.strip().strip('"') for cell in text.split(",")]
        if PERSON.fullmatch(cells[0]):
            return self._hash(number, dict(zip(EXPORTED, cells, strict=False)))
        return self._named(number, "", "", text) if is_email(text) else self._named(number, text, self._country, "")

    def row(self, number: int, row: Mapping[str, str]) -> Line:
        """Read a line by the header's columns."""
        if row.get("person"):
            return self._hash(number, row)
        phone, email, named = row.get("phone", ""), row.get("email", ""), row.get("country", "")
        if not (phone or email):
            return Line(number, problem=_NOTHING)
        if PERSON.fullmatch(phone or email):
            return self._hash(number, {**row, "person": phone or email})
        country = countries.country(named) or "" if named else self._country
        return self._named(number, phone, country, email)

    def _named(self, number: int, phone: str, country: str, email: str) -> Line:
        found = resolve(phone, country, email)
        problem = _NOT_A_NUMBER if found.bad_phone else _NOT_AN_ADDRESS if found.bad_email else ""
        if found.readings > 1:
            problem = _SEVERAL.format(found.readings)
        return Line(number, tuple(person_of(one, self._secret) for one in found.identities), problem=problem)

    def _hash(self, number: int, row: Mapping[str, str]) -> Line:
        person, source, written = (row.get(name, "") for name in EXPORTED)
        if not PERSON.fullmatch(person):
            return Line(number, problem=_NOT_A_HASH)
        if source and not SOURCE.fullmatch(source):
            return Line(number, (person,), problem=_NOT_A_SOURCE)
        at_ms = _milliseconds(written) if written else 0
        return Line(number, (person,), source, at_ms or 0, _NOT_A_TIME if at_ms is None else "")


def _columns(heading: str) -> tuple[str, Mapping[str, int]] | None:
    """Return the delimiter and the index of each known column; None if the first line is no header."""
    delimiter = max(_DELIMITERS, key=heading.count)
    heads = [head.strip().strip('"').strip().lower().translate(_ACCENTS) for head in heading.split(delimiter)]
    indexes = {name: index for name, known in _HEADS.items() if (index := _place(heads, known)) is not None}
    if indexes.keys() & {"phone", "email", "person"}:
        return delimiter, indexes
    if len(heads) > 1 and not any(char.isdigit() or char == "@" for char in heading):
        raise StartError(f"line 1: none of the columns is called phone or email: {', '.join(heads)[:200]}")
    return None


def _place(heads: Sequence[str], known: frozenset[str]) -> int | None:
    names = (head.removeprefix("customer.").replace(" ", "_") for head in heads)
    return next((index for index, name in enumerate(names) if _is_one_of(name, known)), None)


def _is_one_of(name: str, known: frozenset[str]) -> bool:
    if _UNDECODED not in name:
        return name in known
    pattern = re.compile(re.escape(name).replace(_UNDECODED, "."))
    return any(map(pattern.fullmatch, known))


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
