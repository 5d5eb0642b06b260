"""What is wrong with an event, and what deserves its sender's attention. Pure; never repeats a value of the event."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES, ActivityEvent, Cart, Customer
from detectors.normalize import countries, emails, languages, money, phones
from detectors.normalize import text as texts
from detectors.parsing import Problem, parse, unknown_fields
from detectors.sequence import FURTHEST_EXPIRY_MS, epoch_ms
from state.stream import Entry
from tasks.law.places import place_of
from tasks.payload import CHANNELS
from worker.batch import Rejection, collect
from worker.event_fields import suggestion
from worker.masking import one_line

CLOCK_TOLERANCE_MS = 5000
"""How far ahead of this machine's clock an event may be before it is worth a warning."""

_PLACES = {
    "customer.time_zone": "is not an IANA time zone (America/Bogota)",
    "customer.region": "is not a region of ISO 3166-2 (US-FL, FL, Florida)",
}
_UNREACHABLE = "applied, but nobody can be reached until another event brings a good one"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend (`problem`: the event, or a part of it, would be lost) or to think about (`warning`)."""

    level: Literal["problem", "warning"]
    field: str
    message: str
    effect: str

    def __str__(self) -> str:
        said = f"{self.field}: {self.message}" if self.field else self.message
        return f"{said}; {self.effect}"


def check(raw: bytes, now_ms: int) -> list[Finding]:
    """Say what ingest would make of an event that arrives at `now_ms` (Unix ms); empty when all is well."""
    batch = collect([Entry(f"{now_ms}-0".encode(), raw)])
    found = [_problem(raw, rejection, problem) for rejection in batch.rejections for problem in rejection.problems]
    found += _unknown(raw)
    event = parse(raw).event
    if event is not None:
        found += _moments(event, now_ms)
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


def is_refused(findings: list[Finding]) -> bool:
    """Whether any of it would be lost."""
    return any(finding.level == "problem" for finding in findings)


def _problem(raw: bytes, rejection: Rejection, problem: Problem) -> Finding:
    part = problem.field.partition(".")[0]
    if not rejection.applied:
        effect = "the event would be rejected"
    elif part in from_json(raw):
        effect = f"the event would be applied without its {part}"
    else:
        effect = "the event would only say that the shopper is still there"
    return Finding("problem", problem.field, problem.message, effect)


def _warning(field: str, message: str, effect: str) -> Finding:
    return Finding("warning", field, message, effect)


def _unknown(raw: bytes) -> Iterator[Finding]:
    for field in dict.fromkeys(unknown_fields(_document(raw))):
        meant = suggestion(field)
        hint = f"; did you mean {meant}?" if meant else ""
        yield _warning(one_line(field), "is not a field of an event", f"it would be ignored{hint}")


def _document(raw: bytes) -> object:
    try:
        return from_json(raw) if len(raw) <= MAX_EVENT_BYTES else None
    except ValueError:
        return None


def _moments(event: ActivityEvent, now_ms: int) -> Iterator[Finding]:
    moments: dict[str, datetime | None] = {"occurred_at": event.occurred_at, "expires_at": event.expires_at}
    for field, moment in moments.items():
        if moment is not None and moment.tzinfo is None:
            yield _warning(field, "has no time zone", "it would be read as UTC")
    if event.occurred_at is not None and epoch_ms(event.occurred_at) > now_ms + CLOCK_TOLERANCE_MS:
        ahead_s = (epoch_ms(event.occurred_at) - now_ms) // 1000
        yield _warning("occurred_at", f"is {ahead_s} s in the future", "the arrival would count instead")
    if event.expires_at is None:
        return
    if event.type != "payment_pending":
        yield _warning("expires_at", f"means nothing with type {event.type}", "it would be ignored")
    elif epoch_ms(event.expires_at) <= now_ms:
        yield _warning("expires_at", "is in the past", "silence would count from the event itself")
    elif epoch_ms(event.expires_at) > now_ms + FURTHEST_EXPIRY_MS:
        days = FURTHEST_EXPIRY_MS // (24 * 3600 * 1000)
        yield _warning("expires_at", f"is more than {days} days away", f"{days} days would be used")


def _customer(customer: Customer) -> Iterator[Finding]:
    yield from _cleared(customer)
    country = countries.country(customer.country_code) if customer.country_code else None
    number = phones.phone(customer.phone_number, country) if customer.phone_number else None
    if customer.phone_number and number is None and (country or customer.phone_number.startswith("+")):
        where = f" in {country}" if country else ""
        yield _warning("customer.phone_number", f"is not a valid number{where}", _UNREACHABLE)
    if customer.country_code and country is None:
        effect = _without_country(customer.phone_number, number)
        yield _warning("customer.country_code", "is not a country of ISO 3166-1 (CO, COL, Colombia)", effect)
    if customer.email and emails.email(customer.email) is None:
        yield _warning("customer.email", "is not an e-mail address", "the request would go out without it")
    if customer.language and languages.language(customer.language) is None:
        effect = "the request would go out without it"
        yield _warning("customer.language", "is not a language tag (es, en, pt-BR)", effect)
    place = place_of(number or "", country or "", region=customer.region or "", time_zone=customer.time_zone or "")
    for field in place.ignored:
        yield _warning(field, _PLACES[field], "it would be ignored: the number's place alone would count")


def _cleared(customer: Customer) -> Iterator[Finding]:
    """Warn of what nobody can be reached without, where the event takes it away or leaves it out."""
    given = {"full_name": customer.full_name, "phone_number": customer.phone_number}
    for field, text in given.items():
        if field in customer.model_fields_set and not texts.one_line(text or ""):
            yield _warning(f"customer.{field}", "is empty", _UNREACHABLE)
    if not customer.country_code and (customer.phone_number or "country_code" in customer.model_fields_set):
        beside = "is missing beside the phone number" if customer.phone_number else "is empty"
        yield _warning("customer.country_code", beside, _UNREACHABLE)


def _without_country(written: str | None, number: str | None) -> str:
    """Say what becomes of a contact whose country cannot be read: the number's own one counts, if it has one."""
    if not written:
        return "the country of the phone number would be used, if that begins with +"
    if number is not None and phones.country_of_phone(number):
        return "the country of the phone number would be used"
    return _UNREACHABLE


def _person(event: ActivityEvent) -> Iterator[Finding]:
    """Warn of a buyer, or somebody who wants to be left alone, who would be known by the session alone."""
    written, given = (event.customer.phone_number, event.customer.country_code) if event.customer else (None, None)
    if event.session_id and written and phones.phone(written, countries.country(given or "")) is None:
        yield _warning("customer.phone_number", "is not a valid number", "the event would count for its session alone")


def _cart(cart: Cart) -> Iterator[Finding]:
    priced = cart.total_value is not None or any(item.price is not None for item in cart.items or ())
    yield from _currency(cart.currency, "cart.currency", needed=priced)
    for place, item in enumerate(cart.items or ()):
        if item.quantity == 0:
            yield _warning(f"cart.items.{place}.quantity", "is 0", "leave out an item that is no longer in the cart")


def _currency(code: str | None, field: str, *, needed: bool) -> Iterator[Finding]:
    if not code and needed:
        yield _warning(field, "is missing beside the amount", "nobody could tell in which currency that is")
    elif code and money.currency(code) is None:
        yield _warning(field, "is not a currency of ISO 4217 (COP, BRL, USD)", "it would be left out")


def _channel(channel: str | None) -> Iterator[Finding]:
    if channel and channel.lower() not in CHANNELS:
        yield _warning("engagement.preferred_channel", f"is not one of {', '.join(sorted(CHANNELS))}", "auto is used")


def as_data(finding: Finding, line: int) -> dict[str, Any]:
    """Return a finding as JSON data; `line` is 0 when the whole input is one event."""
    return {
        "line": line or None,
        "level": finding.level,
        "field": finding.field,
        "message": finding.message,
        "effect": finding.effect,
    }
