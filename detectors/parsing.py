"""From the bytes of an event to an ActivityEvent, losing as little as possible.

An event with a bad cart still says that its shopper is there, or has paid: dropping it whole would get somebody
called who should not be. So a part that cannot be read is left out and named, and only an event that names nobody,
or says nothing, is rejected.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from detectors.activity import MAX_EVENT_BYTES, OPTIONAL_PARTS, SESSION_ID_FORM, ActivityEvent
from detectors.wording import plain


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an event; never holds a value, since values can be personal."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class Parsed(NamedTuple):
    """What could be read. Without an event nothing could; with problems, the named parts were left out."""

    event: ActivityEvent | None
    problems: tuple[Problem, ...] = ()


_Path = tuple[int | str, ...]
_validate = TypeAdapter(ActivityEvent).validator.validate_json
_NO_JSON = Problem("", "is not valid JSON")
_BROKEN_TEXT = Problem("", "is not plain UTF-8; the characters that could not be read were replaced")
_BROKEN_ESCAPE = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Half of a surrogate pair, as it comes from cutting a text in the middle of an emoji; the others are fine."""


def parse(raw: bytes) -> Parsed:
    """Read one event from its JSON bytes; never raises on bad input."""
    if len(raw) > MAX_EVENT_BYTES:
        return Parsed(None, (Problem("", f"the event has {len(raw)} bytes, more than {MAX_EVENT_BYTES}"),))
    parsed = _read(raw)
    if parsed.problems == (_NO_JSON,) and (readable := _readable(raw)) != raw:
        again = _read(readable)
        if again.problems != (_NO_JSON,):
            return Parsed(again.event, (_BROKEN_TEXT, *again.problems))
    return parsed


def _read(raw: bytes) -> Parsed:
    try:
        event = _validate(raw)
    except ValidationError as exc:
        return _salvage(raw, exc)
    return Parsed(event, _missing(event, ())) if event.lacks_stage else Parsed(event)


def _readable(raw: bytes) -> bytes:
    """Put U+FFFD wherever the text is not Unicode, and drop a byte order mark."""
    text = raw.decode(errors="replace").lstrip("\ufeff")
    return _BROKEN_ESCAPE.sub(lambda match: "\ufffd" if match["half"] else match[0], text).encode()


def _salvage(raw: bytes, error: ValidationError) -> Parsed:
    details = error.errors(include_url=False, include_input=False)
    problems = tuple(_problem(detail) for detail in details)
    if not all(detail["loc"] and detail["loc"][0] in OPTIONAL_PARTS for detail in details):
        return Parsed(None, problems)
    document = from_json(raw)
    _leave_out(document, (detail["loc"] for detail in details))
    try:
        event = ActivityEvent.model_validate(document)
    except ValidationError as exc:
        further = exc.errors(include_url=False, include_input=False)
        return Parsed(None, (*problems, *(_problem(detail) for detail in further)))
    return Parsed(event, (*problems, *_missing(event, problems)))


def _leave_out(document: Any, paths: Iterable[_Path]) -> None:  # noqa: ANN401 - any JSON
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
    if field in {problem.field for problem in known}:
        return ()
    return (Problem(field, "is missing; an activity needs flow_stage and platform"),)


def _problem(detail: ErrorDetails) -> Problem:
    if detail["type"] == "json_invalid":
        # The parser's own words can quote the input.
        return _NO_JSON
    if detail["type"] in {"model_type", "model_attributes_type"} and not detail["loc"]:
        return Problem("", "is not a JSON object")
    return Problem(".".join(str(part) for part in detail["loc"]), plain(detail, pattern=SESSION_ID_FORM))


def unknown_fields(document: object) -> Iterator[str]:
    """Yield the dotted names of fields that are ignored, so that a misspelt one can be pointed out."""
    if isinstance(document, dict):
        yield from _unknown(document, ActivityEvent, "")


def _unknown(document: dict[str, Any], model: type[Any], prefix: str) -> Iterator[str]:
    for key, value in document.items():
        field = model.model_fields.get(key)
        if field is None:
            yield f"{prefix}{key}"
            continue
        inner = _part_model(field.annotation)
        if inner is None:
            continue
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                yield from _unknown(row, inner, f"{prefix}{key}.")


def _part_model(annotation: Any) -> type[Any] | None:  # noqa: ANN401 - an annotation can be anything
    if hasattr(annotation, "model_fields"):
        return annotation  # type: ignore[no-any-return]
    for inner in getattr(annotation, "__args__", ()):
        found = _part_model(inner)
        if found is not None:
            return found
    return None
