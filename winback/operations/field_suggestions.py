"""The names of an event's fields, and suggestions for misspelled ones."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache

from detectors.activity_schema import json_schema
from detectors.json_values import JsonObject

_CLOSE = 0.8  # of difflib's ratio: custmer and flowstage match, reason and session don't
_SYNONYMS = dict.fromkeys(("fone", "telefone", "telefono", "tel", "mobile", "movil", "celular", "cell"), ("phone",))
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def suggestion(unknown: str) -> str | None:
    """Return the field that a dotted name most likely means, such as customer.phone_number for phone; or None."""
    parent, _, name = unknown.rpartition(".")
    words = _words(name)
    if len(words) == 1:
        words = _SYNONYMS.get(words[0], words)

    def rank(path: str) -> tuple[bool, int, bool, int]:
        own_parent, _, own_name = path.rpartition(".")
        return own_parent != parent, path.count("."), _words(own_name) != words, len(path)

    alike = (path for path in known_fields() if _resembles(words, _words(path.rpartition(".")[2])))
    return min(alike, key=rank, default=None)


@cache
def known_fields() -> tuple[str, ...]:
    """Return the dotted name of every field, such as cart.items.sku."""
    schema = json_schema()
    return tuple(_paths(schema, schema["$defs"], ""))


def _paths(part: JsonObject, parts: JsonObject, prefix: str) -> Iterator[str]:
    for name, field in part["properties"].items():
        yield f"{prefix}{name}"
        for inner in _references(field):
            yield from _paths(parts[inner], parts, f"{prefix}{name}.")


def _references(field: JsonObject) -> Iterator[str]:
    if "$ref" in field:
        yield field["$ref"].removeprefix("#/$defs/")
    for choice in (*field.get("anyOf", ()), *([field["items"]] if "items" in field else ())):
        yield from _references(choice)


def _words(name: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[^a-z0-9]+", _INNER_CAPITAL.sub("_", name).lower()) if word)


def _resembles(words: tuple[str, ...], known: tuple[str, ...]) -> bool:
    if words and set(words) <= set(known):
        return True
    return SequenceMatcher(None, "".join(words), "".join(known)).ratio() >= _CLOSE
