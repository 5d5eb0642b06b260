"""What a request of a shop becomes, in lines for people. Personal data is masked. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic_core import to_json

from detectors.activity import ActivityEvent, Cart, Customer
from detectors.json_values import JsonObject, JsonValue
from detectors.parsing import parse
from storefronts.results import DataRequest, Erasure, Ignored, Part, Profile, Rejected, Translated, Visitor
from winback.operations import event_check
from worker.logs.masking import MASK, mask_email, mask_phone, mask_words

PartKind = Literal["event", "profile", "erasure", "data request", "ignored", "rejected"]

_BY: dict[str, str] = {
    "id": "complete",
    "visitor": "found by its aliases, else by the visitor; session_id is for a new one",
    "alias": "found by its aliases; without one, an order begins one, and the event counts for the person",
}
_ANY_SESSION = "session"
_SHOWN = ActivityEvent.model_fields.keys() - {"type"}
"""Fields that aren't Winback's can hold anything."""


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """One part of a request, masked."""

    kind: PartKind
    title: str
    """Such as the type of an event, or why the part was ignored."""
    fields: JsonObject
    findings: tuple[str, ...] = ()
    """Problems and warnings of an event."""

    def document(self) -> JsonObject:
        """Return it as one JSON object."""
        return {"part": self.kind, "title": self.title, **self.fields, "findings": list(self.findings)}

    def lines(self) -> Iterator[str]:
        """Yield it as lines of text."""
        yield f"{self.kind}: {self.title}"
        yield from (f"  {name}: {value}" for name, value in _flat(self.fields))
        yield from (f"  {finding}" for finding in self.findings)


def check_part(part: Part, now_ms: int) -> CheckedPart:
    """Describe a part of a request that arrives at `now_ms` (Unix ms)."""
    match part:
        case Translated():
            return _event(part, now_ms)
        case Profile():
            shown = {"customer": _customer(part.customer), **_visitor(part.visitor)}
            return CheckedPart("profile", "more about a visitor, and no sign of activity", _stated(shown))
        case Erasure():
            whole = f"everything of {part.shop} is to be removed"
            title = whole if part.shop else "all data of a person is to be removed"
            return CheckedPart("erasure", title, _people(part.people) | _stated(_visitor(part.visitor)))
        case DataRequest():
            return CheckedPart(
                "data request", "a person asks for their data", _people(part.people) | _stated(_visitor(part.visitor))
            )
        case Rejected():
            return CheckedPart("rejected", part.reason, _stated({"place": part.place or None}))
        case Ignored():
            return CheckedPart("ignored", f"{part.reason}", _stated({"place": part.place or None, "name": part.name}))


def _event(part: Translated, now_ms: int) -> CheckedPart:
    shown = {"session": _BY[part.session_by], **_visitor(part.visitor), "dedupe_key": part.dedupe_key}
    raw = _with_session(part)
    findings = tuple(f"{finding.level}: {finding}" for finding in event_check.check(raw, now_ms))
    read = parse(raw).event
    if read is None:
        return CheckedPart("rejected", "is no event that can be read", {}, findings)
    known = read.model_dump(mode="json", exclude_unset=True)
    event = {
        name: _masked(name, known[name])
        for name in known
        if name in _SHOWN and (name in part.event or part.session_by == "id")
    }
    return CheckedPart("event", str(known.get("type")), event | _stated(shown), findings)


def _with_session(part: Translated) -> bytes:
    return to_json(part.event if part.session_by == "id" else {"session_id": _ANY_SESSION, **part.event})


def _visitor(visitor: Visitor) -> JsonObject:
    """Return how a visitor is named. Their ids aren't shown: some shops have e-mail addresses as user ids."""
    return {
        "visitor": ", ".join(dict.fromkeys(one.kind for one in visitor.ids)),
        "aliases": ", ".join(f"{one.kind} {one.value}" for one in visitor.aliases),
    }


def _people(people: tuple[JsonObject, ...]) -> JsonObject:
    return {"people": [_customer(person) for person in people]} if people else {}


def _masked(name: str, value: JsonValue) -> JsonValue:
    if name == "customer":
        return _customer(value)
    if name == "also_named" and isinstance(value, list | tuple):
        return [_customer(person) for person in value]
    if name == "cart" and isinstance(value, dict):
        return {field: inner for field, inner in value.items() if field in Cart.model_fields}
    return _metadata(value) if name == "engagement" else value


def _customer(value: JsonValue) -> JsonValue:
    masks = {"full_name": mask_words, "phone_number": mask_phone, "email": mask_email}
    if not isinstance(value, dict):
        return value if value is None else MASK
    return {
        name: masks[name](str(field)) if name in masks and field is not None else field
        for name, field in value.items()
        if name in Customer.model_fields
    }


def _metadata(value: JsonValue) -> JsonValue:
    """Mask metadata but for the campaign: it can hold a link to the shopper's cart."""
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return value
    shown = {name: one if name.startswith("utm_") else MASK for name, one in value["metadata"].items()}
    return {**value, "metadata": shown}


def _stated(fields: JsonObject) -> JsonObject:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _flat(value: JsonValue, prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield the single values in a document with their dotted names."""
    if isinstance(value, dict) and (value or not prefix):
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{prefix}.{number}")
    else:
        yield prefix, ", ".join(map(str, value)) if isinstance(value, list) else value
