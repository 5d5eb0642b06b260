"""From the bytes of an event to an ActivityEvent, losing as little as possible.

An event in the canonical form is validated as it is. Any other is first brought into it (detectors.reading): an event
with a bad cart still says that its shopper is there, or has paid, and dropping it whole would get a shopper called who
should not be. A part that cannot be read is left out and named. Only an event that names no person and no session is
rejected.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from detectors.activity import MAX_EVENT_BYTES, OPTIONAL_PARTS, ActivityEvent
from detectors.activity_fields import SESSION_ID_FORM
from detectors.json_values import JsonValue
from detectors.problem import Problem
from detectors.reading import signs
from detectors.reading.broken_text import readable
from detectors.reading.events import canonical
from detectors.reading.names import fields_of, squash
from detectors.validation_messages import plain

__all__ = ["Parsed", "Problem", "parse", "unknown_fields"]


class Parsed(NamedTuple):
    """What could be read. Without an event nothing could; with problems, the named parts were left out."""

    event: ActivityEvent | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What was understood although it was written in another way than the canonical one."""


_Path = tuple[int | str, ...]
_adapter = TypeAdapter(ActivityEvent).validator
_validate, _validate_document = _adapter.validate_json, _adapter.validate_python
_NO_JSON = Problem("", "is not valid JSON")
_NO_OBJECT = Problem("", "is not a JSON object")
_BROKEN_TEXT = Problem("", "is not plain UTF-8; the characters that could not be read were replaced")
_CUT_OFF = Problem("", "is not valid JSON; it was read as far as it goes")
_MOST_BYTES = 16 * MAX_EVENT_BYTES
"""Of a larger event not even the session can be told: reading it would take too long."""
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+")|,(?=\s*[}\]])')
_LAST_NUMBER = re.compile(rb"[-+.0-9eE]+\s*\Z")
_IDS = frozenset({"session_id", "previous_session_id", "cart_ids"})


def parse(raw: bytes) -> Parsed:
    """Read one event from its JSON bytes; never raises on bad input."""
    if len(raw) > MAX_EVENT_BYTES:
        return _oversized(raw)
    try:
        event = _validate(raw)
    except ValidationError:
        return _again(raw)
    customer, cart = event.customer, event.cart
    # Nearly every event is done with this line, so it is not left to a function.
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
    """Read what is not in the canonical form, or no JSON."""
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
    """Read an order or an opt-out from JSON with a comma too many, or without its end."""
    without = _TRAILING_COMMA.sub(lambda match: match[1] or "", raw.decode()).encode()
    for text in (without, raw):
        try:
            # What was cut off is dropped, a number as well as a text: half a session id would be another one.
            parsed = _loosely(from_json(_LAST_NUMBER.sub(b"", text), allow_partial=True))
        except ValueError:
            continue
        if parsed.event is not None and parsed.event.type in {"order_completed", "opt_out"}:
            return parsed._replace(problems=(_CUT_OFF, *parsed.problems))
    return Parsed(None, (_NO_JSON,))


def _oversized(raw: bytes) -> Parsed:
    """Read an event that is too large without its largest parts: it is a sign of life, or an order, all the same."""
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
    # From the end of a list, so that the places of those before stay what they are.
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
    if detail["loc"] and detail["loc"][0] in _IDS and detail["type"] != "too_long":
        return Problem(field, f"must be {SESSION_ID_FORM}")
    return Problem(field, plain(detail))


def unknown_fields(document: object) -> Iterator[str]:
    """Yield the dotted names of fields that are ignored, so that a misspelt one can be pointed out."""
    if isinstance(document, dict):
        yield from _unknown(document, ActivityEvent, "")


def _unknown(document: dict[str, object], model: type[BaseModel], prefix: str) -> Iterator[str]:
    for key, value in document.items():
        name = fields_of(model).get(squash(key))
        if name is None:
            yield f"{prefix}{key}"
            continue
        field = model.model_fields[name]
        inner = _part_model(field.annotation)
        if inner is None:
            continue
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                yield from _unknown(row, inner, f"{prefix}{name}.")


def _part_model(annotation: type[BaseModel] | object) -> type[BaseModel] | None:
    if hasattr(annotation, "model_fields"):
        return cast("type[BaseModel]", annotation)
    for inner in getattr(annotation, "__args__", ()):
        found = _part_model(inner)
        if found is not None:
            return found
    return None
