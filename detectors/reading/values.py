"""Values of the wrong type that have only one meaning."""

import re
from collections.abc import Iterator, Mapping

from pydantic_core import from_json

from detectors.activity_fields import MAX_SESSION_ID
from detectors.normalize.session_ids import is_placeholder
from detectors.normalize.text import MAX_TEXT, clean

_WHOLE = re.compile(r"[+]?([0-9]{1,7})(?:[.,]0{1,2})?")
_MOST_JSON = 64 * 1024


def scalar(value: object) -> object:
    """Return the only entry of a list; anything else unchanged."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def text(value: object) -> object:
    """Return a number as text; anything else unchanged."""
    value = scalar(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)
    except ValueError:
        return value  # more digits than Python converts to text


def shortened(value: object) -> object:
    """Return a value as `text` does, cut to the length of a field."""
    value = text(value)
    return clean(value) if isinstance(value, str) and len(value.strip()) > MAX_TEXT else value


def session_id(value: object) -> str | None:
    """Return an id: any text of up to `MAX_SESSION_ID` characters that isn't blank, or a whole number."""
    value = scalar(value)
    if isinstance(value, float) and not value.is_integer():
        return None
    value = text(value)
    if not isinstance(value, str):
        return None
    value = value.strip()
    return value if 0 < len(value) <= MAX_SESSION_ID and not is_placeholder(value) else None


def document(value: object) -> object:
    """Return the object or list that a text holds as JSON; anything else unchanged."""
    if isinstance(value, str) and len(value) <= _MOST_JSON and value.strip()[:1] in {"{", "["}:
        try:
            return from_json(value)
        except ValueError:
            return value
    return value


def part(value: object) -> object:
    """Return an object, including one that was encoded twice, and `[]`, which PHP writes for one without fields."""
    value = document(value)
    if isinstance(value, list):
        found = scalar(value)
        return {} if value == [] else found if isinstance(found, dict) else value
    return value


def labelled(part: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the field in an object of a name and a value: `{"key": "_cart_id", "value": "c-1"}`."""
    if "value" in part:
        for label in ("key", "name"):
            name = part.get(label)
            if isinstance(name, str):
                yield name, part["value"]


def quantity(value: object) -> object:
    """Return a whole number from text or decimals. `1.000` stays unchanged: it can be one or a thousand."""
    value = scalar(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and (found := _WHOLE.fullmatch(value.strip())):
        return int(found[1])
    return value


def objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, or an object as the only one."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
