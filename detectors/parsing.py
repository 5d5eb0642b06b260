"""From the bytes of an event to an ActivityEvent, with as little loss as possible.

An event in the canonical form is validated as it is. Any other is first converted to it (detectors.reading). An event
with a bad cart still shows that its shopper is active or has paid, and dropping it could start a wrong call. An
unreadable part is left out and named. Only an event that names no person and no session is rejected.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from detectors.activity import MAX_EVENT_BYTES, OPTIONAL_PARTS, ActivityEvent
from detectors.activity_fields import MAX_SESSION_ID, SESSION_ID_FORM
from detectors.json_values import JsonValue
from detectors.normalize.session_ids import public_session_id
from detectors.problem import Problem
from detectors.reading import signs
from detectors.reading.broken_text import readable
from detectors.reading.events import canonical
from detectors.reading.names import fields_of, squash
from detectors.validation_messages import plain

__all__ = ["Parsed", "Problem", "parse", "session_in", "unknown_fields"]


class Parsed(NamedTuple):
    """The result of reading an event. Without an event nothing was readable; `problems` names the parts left out."""

    event: ActivityEvent | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What was read although it isn't in the canonical form."""


_Path = tuple[int | str, ...]
_adapter = TypeAdapter(ActivityEvent).validator
_validate, _validate_document = _adapter.validate_json, _adapter.validate_python
_SESSION = "session_id"
_NO_JSON = Problem("", "is not valid JSON")
_NO_OBJECT = Problem("", "is not a JSON object")
_BROKEN_TEXT = Problem("", "is not plain UTF-8; the characters that could not be read were replaced")
_CUT_OFF = Problem("", "is not valid JSON; it was read as far as it goes")
_MOST_BYTES = 16 * MAX_EVENT_BYTES
"""Above this size not even the session is read, because it would take too long."""
# A text without its end is one match up to the end of the event: no quote in it is tried as the beginning of another.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\(?s:.)?)*+"?)|,(?=\s*[}\]])')
# Begins only where a number does, and gives nothing back: at most one scan, however long the number is.
_LAST_NUMBER = re.compile(rb"(?<![-+.0-9eE])[-+.0-9eE]++\s*\Z")
_LARGEST_ID = 2**64
_IDS = frozenset({"session_id", "previous_session_id", "cart_ids"})
_OF_A_LIST = frozenset({"list_type", "too_long"})


def parse(raw: bytes) -> Parsed:
    """Return one event from its JSON bytes. Never raises on bad input."""
    if len(raw) > MAX_EVENT_BYTES:
        return _oversized(raw)
    try:
        event = _validate(raw)
    except ValidationError:
        return _again(raw)
    customer, cart = event.customer, event.cart
    # Inline, because nearly every event ends here.
    has_more = (
        event.__pydantic_extra__
        or event.engagement
        or (customer and (customer.consent or customer.__pydantic_extra__))
        or (cart and cart.__pydantic_extra__)
    )
    if has_more and signs.in_unknown_fields(event):
        return _loosely(from_json(raw))
    return Parsed(event, _missing(event, ())) if event.lacks_stage else Parsed(event)


def _again(raw: bytes) -> Parsed:
    """Return an event that isn't canonical, or isn't valid JSON."""
    try:
        return _loosely(from_json(raw))
    except ValueError:
        pass
    text = readable(raw)
    try:
        parsed = _loosely(from_json(text))
    except ValueError:
        return _cut_off(text)
    return parsed._replace(problems=(_BROKEN_TEXT, *parsed.problems)) if parsed.event else parsed


def _cut_off(raw: bytes) -> Parsed:
    """Return an event that stops a contact from JSON with an extra comma or without its end."""
    without = _TRAILING_COMMA.sub(lambda match: match[1] or "", raw.decode()).encode()
    for text in (without, raw):
        try:
            # Drop a cut-off value, number or text: half a session id would be another id.
            parsed = _loosely(from_json(_LAST_NUMBER.sub(b"", text), allow_partial=True))
        except ValueError:
            continue
        if parsed.event is not None and parsed.event.type in signs.NAMES_OTHERS:
            return parsed._replace(problems=(_CUT_OFF, *parsed.problems))
    return Parsed(None, (_NO_JSON,))


def _oversized(raw: bytes) -> Parsed:
    """Return an event that is too large, without its largest parts: it still counts as activity or as an order."""
    problem = Problem("", f"the event has {len(raw)} bytes, more than {MAX_EVENT_BYTES}")
    if len(raw) > _MOST_BYTES:
        return Parsed(None, (problem,))
    try:
        document = from_json(raw)
    except ValueError:
        return Parsed(None, (problem,))
    if not isinstance(document, dict):
        return Parsed(None, (problem,))
    dropped = {"cart", "engagement"}
    parsed = _loosely(
        {key: value for key, value in document.items() if squash(key) not in dropped and _is_small(value)}
    )
    return parsed._replace(problems=(problem, *parsed.problems))


def _is_small(value: object) -> bool:
    return not isinstance(value, list) and (not isinstance(value, str) or len(value) <= MAX_EVENT_BYTES)


def _loosely(document: object) -> Parsed:
    read = canonical(document)
    if read is None:
        return Parsed(None, (_NO_OBJECT,))
    problems, notes = tuple(read.problems), tuple(read.notes)
    try:
        event = _validate_document(read.fields)
    except ValidationError as exc:
        return _salvage(read.fields, exc, problems, notes)
    return Parsed(event, (*problems, *_missing(event, problems)), notes)


def _salvage(
    document: dict[str, object], error: ValidationError, known: tuple[Problem, ...], notes: tuple[Problem, ...]
) -> Parsed:
    details = error.errors(include_url=False, include_input=False)
    problems = (*known, *(_problem(detail) for detail in details))
    if not all(detail["loc"] and detail["loc"][0] in OPTIONAL_PARTS for detail in details):
        return Parsed(None, problems)
    _leave_out(document, (detail["loc"] for detail in details))
    try:
        event = _validate_document(document)
    except ValidationError as exc:
        further = exc.errors(include_url=False, include_input=False)
        return Parsed(None, (*problems, *(_problem(detail) for detail in further)))
    return Parsed(event, (*problems, *_missing(event, problems)), notes)


def _leave_out(document: JsonValue, paths: Iterable[_Path]) -> None:
    # From the end of a list, so that earlier positions stay valid.
    for path in sorted(set(paths), key=lambda path: [(isinstance(part, str), part) for part in path], reverse=True):
        part = document
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]


def _missing(event: ActivityEvent, known: tuple[Problem, ...]) -> tuple[Problem, ...]:
    if not event.lacks_stage:
        return ()
    field = "flow_stage" if event.flow_stage is None else "platform"
    if {field, "type", ""} & {problem.field for problem in known}:
        return ()
    return (Problem(field, "is missing; an activity needs flow_stage and platform"),)


def _problem(detail: ErrorDetails) -> Problem:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["loc"] and detail["loc"][0] in _IDS and detail["type"] not in _OF_A_LIST:
        return Problem(field, f"must be {SESSION_ID_FORM}")
    message = plain(detail)
    if not field and message.startswith(f"{_SESSION} "):
        return Problem(_SESSION, message.removeprefix(f"{_SESSION} "))
    return Problem(field, message)


def session_in(raw: bytes) -> str:
    """Return the session that an unreadable event names, without credentials; empty if it can't be told."""
    try:
        document = from_json(raw) if len(raw) <= MAX_EVENT_BYTES else None
    except ValueError:
        return ""
    for name, value in document.items() if isinstance(document, dict) else ():
        if squash(name) == "sessionid":
            # A larger number is no id, and Python refuses to write one of thousands of digits.
            is_number = type(value) is int and value < _LARGEST_ID
            text = str(value) if is_number or isinstance(value, str) else ""
            return public_session_id(text) if len(text) <= MAX_SESSION_ID else ""
    return ""


def unknown_fields(document: object) -> Iterator[str]:
    """Yield the dotted names of ignored fields, to point out misspelt ones."""
    if isinstance(document, dict):
        yield from _unknown(document, ActivityEvent, "")


def _unknown(document: dict[str, object], model: type[BaseModel], prefix: str) -> Iterator[str]:
    parts = _parts_of(model)
    for key, value in document.items():
        name = fields_of(model).get(squash(key))
        if name is None:
            yield f"{prefix}{key}"
            continue
        inner = parts[name]
        if inner is None:
            continue
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                yield from _unknown(row, inner, f"{prefix}{name}.")


@cache
def _parts_of(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """Return the model of each field that holds an object or a list of objects; ingest needs it for many events."""
    return {name: _part_model(field.annotation) for name, field in model.model_fields.items()}


def _part_model(annotation: type[BaseModel] | object) -> type[BaseModel] | None:
    if hasattr(annotation, "model_fields"):
        return cast("type[BaseModel]", annotation)
    for inner in getattr(annotation, "__args__", ()):
        found = _part_model(inner)
        if found is not None:
            return found
    return None
