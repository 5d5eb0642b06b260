"""Checks a request against the published contract of Yuno's Recovery Agent API, and nothing else.

The contract is `contract.schema.json`. It was written from the published pages and not from the models that build
requests: otherwise a mistake in the models would pass. Problems name the field and the rule. They never repeat a value,
because values are personal.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import NamedTuple

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from detectors.json_values import JsonValue
from winback.simulation.mock_api.formats import FORMATS

Path = tuple[str | int, ...]

_FIELD_NAME = re.compile(r"\w{1,40}", re.ASCII)
_ARTICLES = {
    "array": "an array",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class CheckedBody(NamedTuple):
    """A request's body after parsing, and its breaches of the contract."""

    document: object
    """None if it isn't JSON."""
    breaches: list[str]
    """One `path: problem` each; empty if the body is valid."""


def check_body(raw: bytes) -> CheckedBody:
    """Read a request's body and list every breach of the contract."""
    problems: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        document = dict(pairs)
        if len(document) != len(pairs):
            problems.append("body: an object names a field twice")
        return document

    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=_no_constant)
    except ValueError:
        return CheckedBody(None, ["body: must be a JSON document in UTF-8"])
    except RecursionError:
        return CheckedBody(None, ["body: is nested too deeply"])
    # For a field with several problems, only the first is listed.
    breaches: dict[Path, str] = {}
    for path, problem in _breaches(document):
        breaches.setdefault(path, problem)
    problems += [f"{_shown(path)}: {problem}" for path, problem in breaches.items()]
    return CheckedBody(document, problems)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _breaches(document: JsonValue) -> Iterator[tuple[Path, str]]:
    for error in _VALIDATOR.iter_errors(document):
        yield tuple(error.absolute_path), _problem(error)
    with suppress(KeyError, TypeError):  # it has none
        if isinstance(metadata := document["engagement"]["metadata"], dict):
            yield from _nulls(("engagement", "metadata"), metadata)


def _nulls(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    """Yield each null of a free section, without a recursive call: the number of levels is unlimited."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if value is None:
            yield path, "must not be null"
        elif isinstance(value, dict):
            waiting += [((*path, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]


def _problem(error: ValidationError) -> str:
    wanted: JsonValue = error.validator_value
    match error.validator:
        case "type" if error.instance is None and error.absolute_path:
            return "must not be null"
        case "type":
            return f"must be {_ARTICLES[wanted]}"
        case "enum":
            return f"must be one of {', '.join(wanted)}"
        case "pattern":
            return "must not be blank"
        case "format":
            return str(error.cause)
        case _:
            return error.message


def _shown(path: Path) -> str:
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in path)
    return shown.removeprefix(".") or "body"


def _name(name: str) -> str:
    # A name that isn't an identifier could be anything, even a phone number.
    return name if _FIELD_NAME.fullmatch(name) and not name.isdigit() else "(a field with an odd name)"


# The library reports these two for the object. A problem is reported for the field.


def _required(_: object, names: Iterable[str], value: object, __: object) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        yield from (ValidationError("is missing", path=[name]) for name in names if name not in value)


def _additional(
    _: object, __: object, value: object, schema: Mapping[str, Mapping[str, object]]
) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        unknown = (name for name in value if name not in schema["properties"])
        yield from (ValidationError("is not a field of the contract", path=[name]) for name in unknown)


def _is_integer(_: object, value: object) -> bool:
    # bool is an int in Python. In JSON Schema 1.0 is an integer, which not every server accepts.
    return type(value) is int


def _is_number(_: object, value: object) -> bool:
    # 1e999 is read as infinity.
    return type(value) is int or (type(value) is float and math.isfinite(value))


_VALIDATOR = extend(  # type: ignore[no-untyped-call] # its stub has none
    Draft202012Validator,
    validators={"required": _required, "additionalProperties": _additional},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number}),
)(
    json.loads((files("winback.simulation.mock_api") / "contract.schema.json").read_text(encoding="utf-8")),
    format_checker=FORMATS,
)
