"""Finds the problems of an event, and warnings for its sender. Pure; no finding repeats a value."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES, ActivityEvent, Cart, Customer
from detectors.event_warnings import warnings
from detectors.flow import EventType
from detectors.normalize import countries, emails, languages, money, names, phones
from detectors.parsing import Problem, parse, unknown_fields
from detectors.reading import signs
from detectors.sequence import FURTHEST_EXPIRY_MS, epoch_ms
from state.event_stream import StreamEntry
from tasks.delivery.payload import CHANNELS
from tasks.policy.law.places import place_of
from winback.operations.event_readings import FieldReading, readings
from winback.operations.event_request import Requests
from winback.operations.field_suggestions import suggestion
from worker.ingest.batch import Rejection, collect
from worker.logs.masking import json_line, one_line

REJECTED_EFFECT = "the event would be rejected"
_UNREACHABLE = "applied, but the shopper can't be contacted until another event brings a valid one"
_NO_COUNTRY = "is not a country of ISO 3166-1 such as CO, COL or Colombia"
_PLACES = {
    "customer.time_zone": "is not an IANA time zone such as America/Bogota",
    "customer.region": "is not a region of ISO 3166-2 such as US-FL, FL or Florida",
}


@dataclass(frozen=True, slots=True)
class EventFinding:
    """A mistake to fix (`problem`: the event, or a part of it, would be lost) or to consider (`warning`)."""

    level: Literal["problem", "warning"]
    field: str
    message: str
    effect: str

    def __str__(self) -> str:
        text = f"{self.field}: {self.message}" if self.field else self.message
        return f"{text}; {self.effect}"


@dataclass(frozen=True, slots=True)
class Checked:
    """All results for an event."""

    findings: list[EventFinding]
    readings: list[FieldReading]
    request: str | None
    """The JSON text of the request that would follow if the shopper did nothing more; None if there would be none."""
    why_not: str
    """The reason why there would be none; empty if the event would be rejected."""


def check_event(raw: bytes, now_ms: int, requests: Requests) -> Checked:
    """Explain an event that arrives at `now_ms` (Unix ms), after the earlier ones in `requests`."""
    parsed = parse(raw)
    request, why_not = None, ""
    if parsed.event is not None:
        found = requests.after(parsed.event, now_ms)
        request, why_not = (None, found) if isinstance(found, str) else (json_line(found.request.to_json()), "")
    return Checked(check(raw, now_ms), list(readings(_document(raw), parsed)), request, why_not)


def check(raw: bytes, now_ms: int) -> list[EventFinding]:
    """Return ingest's findings for an event that arrives at `now_ms` (Unix ms); empty if there are none."""
    batch = collect([StreamEntry(f"{now_ms}-0".encode(), raw)])
    found = [_problem(raw, rejection, problem) for rejection in batch.rejections for problem in rejection.problems]
    event = parse(raw).event
    found += _unknown(raw, event)
    if event is not None:
        document = _document(raw)
        found += (_warning(one.field, one.message, one.effect) for one in warnings(event, document, now_ms))
        found += _expiry(event, now_ms)
        found += _currency(event.currency, "currency", needed=event.order_value is not None)
        if event.type in {"order_completed", "opt_out"}:
            found += _person(event)
        elif event.customer is not None:
            found += _customer(event.customer)
        if event.cart is not None:
            found += _cart(event.cart)
        if event.engagement is not None:
            found += _channel(event.engagement.preferred_channel)
    return found


def is_refused(findings: list[EventFinding]) -> bool:
    """Return whether a part of the event would be lost."""
    return any(finding.level == "problem" for finding in findings)


def _problem(raw: bytes, rejection: Rejection, problem: Problem) -> EventFinding:
    part = problem.field.partition(".")[0]
    if not rejection.applied:
        effect = REJECTED_EFFECT
    elif not part:
        effect = "the rest of the event would be applied"
    elif part == "type" or (part in {"flow_stage", "platform"} and not _holds(raw, part)):
        effect = "the event would only show that the shopper is still active"
    else:
        # Only the field itself is left out, not the object that contains it.
        left_out = f"its {part}" if part == problem.field else problem.field
        effect = f"the event would be applied without {left_out}"
    if problem.field == "type" and (meant := _meant_type(raw)):
        effect += f"; did you mean {meant}?"
    return EventFinding("problem", problem.field, problem.message, effect)


def _meant_type(raw: bytes) -> str:
    """Return the type that a misspelt one resembles; empty if there is none."""
    document = _document(raw)
    written = document.get("type") if isinstance(document, dict) else None
    close = get_close_matches(written[:64].lower(), get_args(EventType), n=1) if isinstance(written, str) else []
    return close[0] if close else ""


def _holds(raw: bytes, part: str) -> bool:
    document = _document(raw)
    return isinstance(document, dict) and part in document


def _warning(field: str, message: str, effect: str) -> EventFinding:
    return EventFinding("warning", field, message, effect)


def _unknown(raw: bytes, event: ActivityEvent | None) -> Iterator[EventFinding]:
    for field in dict.fromkeys(unknown_fields(_document(raw))):
        if event is not None and signs.is_used(event.type, field.rpartition(".")[2]):
            continue
        meant = suggestion(field)
        hint = f"; did you mean {meant}?" if meant else ""
        yield _warning(one_line(field), "is not a field of an event", f"it would be ignored{hint}")


def _document(raw: bytes) -> object:
    try:
        return from_json(raw) if len(raw) <= MAX_EVENT_BYTES else None
    except ValueError:
        return None


def _expiry(event: ActivityEvent, now_ms: int) -> Iterator[EventFinding]:
    if event.expires_at is None:
        return
    if event.type != "payment_pending":
        yield _warning("expires_at", f"means nothing with type {event.type}", "it would be ignored")
    elif epoch_ms(event.expires_at) <= now_ms:
        yield _warning("expires_at", "is in the past", "silence would count from the event itself")
    elif epoch_ms(event.expires_at) > now_ms + FURTHEST_EXPIRY_MS:
        days = FURTHEST_EXPIRY_MS // (24 * 3600 * 1000)
        yield _warning("expires_at", f"is more than {days} days away", f"{days} days would be used")


def _customer(customer: Customer) -> Iterator[EventFinding]:
    country = countries.country(customer.country_code) if customer.country_code else None
    number = phones.phone(customer.phone_number, country) if customer.phone_number else None
    yield from _name(customer)
    if "phone_number" in customer.model_fields_set and not customer.phone_number:
        yield _warning("customer.phone_number", "is empty", _UNREACHABLE)
    if customer.phone_number:
        yield from _number(customer, number, country)
    if customer.country_code and country is None and (number or not customer.phone_number):
        effect = "the country of the phone number would be used"
        if number is None:
            effect += ", if that begins with +"
        elif phones.country_of_phone(number) is None:
            effect = _UNREACHABLE
        yield _warning("customer.country_code", _NO_COUNTRY, effect)
    if customer.email and emails.email(customer.email) is None:
        yield _warning("customer.email", "is not an e-mail address", "the request would go out without it")
    if customer.language and languages.language(customer.language, country) is None:
        effect = "the request would go out without it"
        yield _warning("customer.language", "is not a language tag such as es, en or pt-BR", effect)
    place = place_of(number or "", country or "", region=customer.region or "", time_zone=customer.time_zone or "")
    for field in place.ignored:
        yield _warning(field, _PLACES[field], "it would be ignored; only the number's place would count")


def _name(customer: Customer) -> Iterator[EventFinding]:
    if "full_name" in customer.model_fields_set and names.person_name(customer.full_name or "") is None:
        what = "is not a person's name" if customer.full_name else "is empty"
        yield _warning("customer.full_name", what, _UNREACHABLE)


def _number(customer: Customer, number: str | None, country: str | None) -> Iterator[EventFinding]:
    """Warn about a number that can't be called, or whose country is unknown."""
    if number is None and (country or (customer.phone_number or "").startswith("+")):
        where = f" in {country}" if country else ""
        yield _warning("customer.phone_number", f"is not a valid number{where}", _UNREACHABLE)
    elif number is None and customer.country_code:
        yield _warning("customer.country_code", _NO_COUNTRY, _UNREACHABLE)
    elif number is None:
        yield _warning("customer.country_code", "is missing next to a number without +", _UNREACHABLE)
    elif not customer.country_code and phones.country_of_phone(number) is None:
        yield _warning("customer.country_code", "is missing, and the number is of no country", _UNREACHABLE)


def _person(event: ActivityEvent) -> Iterator[EventFinding]:
    """Warn if a buyer, or a person who opted out, would only be known by the session or the e-mail address."""
    written, given = (event.customer.phone_number, event.customer.country_code) if event.customer else (None, None)
    if event.session_id and written and phones.phone(written, countries.country(given or "")) is None:
        yield _warning("customer.phone_number", "is not a valid number", "the event would count only for its session")


def _cart(cart: Cart) -> Iterator[EventFinding]:
    priced = bool(cart.total_value) or any(item.price is not None for item in cart.items or ())
    yield from _currency(cart.currency, "cart.currency", needed=priced)
    if cart.is_empty:
        if cart.items != []:
            yield _warning("cart", "is worth nothing or holds only lines with quantity 0", "it would count as emptied")
        return
    for place, item in enumerate(cart.items or ()):
        if item.quantity == 0:
            yield _warning(f"cart.items.{place}.quantity", "is 0", "leave out an item that is no longer in the cart")


def _currency(code: str | None, field: str, *, needed: bool) -> Iterator[EventFinding]:
    if not code and needed:
        yield _warning(field, "is missing next to the amount", "the currency of the amount would be unknown")
    elif code and money.currency(code) is None:
        yield _warning(field, "is not a currency of ISO 4217 such as COP, BRL or USD", "it would be left out")


def _channel(channel: str | None) -> Iterator[EventFinding]:
    if channel and channel.lower() not in CHANNELS:
        yield _warning("engagement.preferred_channel", f"is not one of {', '.join(sorted(CHANNELS))}", "auto is used")


def as_data(finding: EventFinding, line: int) -> dict[str, object]:
    """Return a finding as JSON data; `line` is 0 if the whole input is one event."""
    return {
        "line": line or None,
        "level": finding.level,
        "field": finding.field,
        "message": finding.message,
        "effect": finding.effect,
    }
