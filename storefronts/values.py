"""Single values of a body, each with the type that it should have, or nothing."""

import re
from collections.abc import Iterator
from math import isfinite

from detectors.activity_fields import MAX_SESSION_ID
from detectors.json_values import JsonObject, JsonValue
from detectors.normalize import money
from detectors.normalize.session_ids import is_plain_id
from detectors.normalize.text import clean
from detectors.reading import values as readings

_MACHINE = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,9})?")
_MOST_MONEY = 1e12
_MOST_PIECES = 1_000_000


def mapping(value: JsonValue) -> JsonObject:
    """Return an object; anything else is one without fields."""
    return value if isinstance(value, dict) else {}


def rows(value: JsonValue) -> list[JsonObject]:
    """Return the objects of a list; anything else has none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """Return a text without the spaces around it, or a whole number as text; anything else is ""."""
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, bool) or not isinstance(value, int):
        return ""
    found = readings.text(value)
    return found if isinstance(found, str) else ""


def label(value: JsonValue) -> str:
    """Return a text for people, cut and without HTML: a name or a title."""
    return clean(text(value)[:4096])


def first(*found: str) -> str:
    """Return the first text that isn't empty; "" if all are."""
    return next(filter(None, found), "")


def identifier(value: JsonValue) -> str:
    """Return an id, as text; "" if there is none, or a placeholder such as `undefined`."""
    if type(value) is str and is_plain_id(value):
        return value
    return readings.session_id(value) or "" if isinstance(value, str | int) and not isinstance(value, bool) else ""


def short(value: JsonValue) -> str:
    """Return a text that isn't longer than an id can be; "" if it is."""
    found = text(value)
    return found if len(found) <= MAX_SESSION_ID else ""


def amount(value: JsonValue, currency: str = "") -> float | None:
    """Return money that is a number, or written with a decimal point, or in the usage of its currency.

    None if there is not exactly one reading, or it is beyond what an event can hold.
    """
    if isinstance(value, str):
        value = money.read(value[:64], currency or None)
    return _bounded(value)


def decimal(value: JsonValue) -> float | None:
    """Return money that a program has written: a number, or text with a point before the decimals."""
    if isinstance(value, str):
        value = float(value) if _MACHINE.fullmatch(value.strip()) else None
    return _bounded(value)


def _bounded(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST_MONEY <= value <= _MOST_MONEY:
        return None
    return value if isfinite(value) else None


def quantity(value: JsonValue) -> int | None:
    """Return a number of pieces."""
    found = None if isinstance(value, bool) else readings.quantity(value)
    return found if isinstance(found, int) and 0 <= found <= _MOST_PIECES else None


def at(document: JsonValue, path: str) -> JsonValue:
    """Return the value at a dotted path; None if there is none.

    In a list, a step is the `key` or the `name` of the object that has the `value`.
    """
    for step in path.split("."):
        if isinstance(document, dict):
            document = document.get(step)
        else:
            document = next((value for name, value in _labelled(document) if name == step), None)
    return document


def _labelled(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    for row in rows(value):
        yield from readings.labelled(row)
