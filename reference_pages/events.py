"""The page of the events, from the JSON Schema that `winback event schema` prints."""

from collections.abc import Iterator
from typing import Any

from detectors.activity_schema import json_schema

_Schema = dict[str, Any]


def events() -> str:
    """Return a table of fields for the event and each object in it."""
    whole = json_schema()
    return "\n".join(
        line
        for title, part in [("Event", whole), *whole["$defs"].items()]
        for line in (f"### {title}", "", part.get("description", ""), "", *_table(part), "")
    ).strip()


def _table(part: _Schema) -> Iterator[str]:
    yield from ("| field | type | description |", "|---|---|---|")
    required = part.get("required", [])
    for name, field in part["properties"].items():
        text = field.get("description", "")
        if name in required:
            text = f"Required. {text}".strip()
        yield f"| `{name}` | {_type(field)} | {text} |"


def _type(field: _Schema) -> str:
    """Describe the values that a field takes, in words."""
    if "anyOf" in field:
        kinds = [each for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(map(_type, kinds)))
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        return f"up to {field['maxItems']} of: {_type(field['items'])}"
    if field.get("format") == "date-time":
        return "text, ISO 8601"
    return _plain(field)


def _plain(field: _Schema) -> str:
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    word = words.get(field["type"], str(field["type"]))
    if "maxLength" in field:
        return f"{word}, up to {field['maxLength']} characters"
    if "minimum" in field:
        return f"{word}, {field['minimum']:,.0f} to {field['maximum']:,.0f}"
    return word
