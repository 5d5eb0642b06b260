"""An event as Winback understood it, for `winback event tail`. Pure; names, numbers and addresses are masked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detectors.activity import ActivityEvent, Cart, Customer
from detectors.normalize import countries, emails, names, phones
from detectors.normalize.money import amount
from detectors.normalize.session_ids import public_session_id
from detectors.parsing import parse, session_in
from detectors.sequence import epoch_ms
from state.event_stream import StreamEntry
from tasks.delivery.payload import timestamp
from winback.operations.event_check import REJECTED_EFFECT, EventFinding, check
from worker.logs.masking import MASK, mask_email, mask_phone, mask_words, one_line
from worker.monitoring.finding import span

REJECTED = "rejected"
_LATE_MS = 2_000
_NO_EVENT = EventFinding("problem", "event", "is missing: the entry needs a field `event`", REJECTED_EFFECT)
_NUMBER = re.compile(r"(?:[0-9][^A-Za-z0-9]{0,2}){5}")
"""Five digits, also in groups: they can be a phone number."""
_LONGEST_FIELD = 80
_NOT_VALID = "not valid"


@dataclass(frozen=True, slots=True)
class EventView:
    """One event."""

    entry: str
    arrived_ms: int
    type: str
    """The event's type, or `rejected`."""
    stage: str
    platform: str
    session: str
    """As the shop calls it, without credentials; masked if it is a number or an address, empty if it can't be read."""
    occurred_ms: int | None
    customer: Mapping[str, str]
    """Masked; `not valid` for an unusable value."""
    cart: str
    findings: tuple[EventFinding, ...]
    """Problems and warnings."""

    @property
    def outcome(self) -> str:
        """Return `applied`, `applied in part` or `rejected`."""
        if self.type == REJECTED:
            return REJECTED
        return "applied in part" if any(one.level == "problem" for one in self.findings) else "applied"

    def lines(self) -> Iterator[str]:
        """Yield the event as text, each problem and warning on its own line."""
        at = datetime.fromtimestamp(self.arrived_ms / 1000, UTC)
        where = "/".join(one for one in (self.stage, self.platform) if one)
        parts = [f"{at:%H:%M:%S}.{self.arrived_ms % 1000:03d}Z", self.type, where, self.session or "-"]
        details = [", ".join(f"{name} {text}" for name, text in self.customer.items()), self.cart]
        if self.occurred_ms is not None and abs(self.arrived_ms - self.occurred_ms) > _LATE_MS:
            apart_ms = self.arrived_ms - self.occurred_ms
            details.append(f"occurred {span(abs(apart_ms))} {'before' if apart_ms > 0 else 'after'} its arrival")
        shown = "; ".join(detail for detail in details if detail)
        yield one_line("  ".join([*(part for part in parts if part), *([shown] if shown else [])]))
        for finding in self.findings:
            yield f"    {finding.level}: {one_line(str(finding))}"

    def data(self) -> dict[str, object]:
        """Return the event as JSON data."""
        return {
            "entry": self.entry,
            "arrived_at": timestamp(self.arrived_ms),
            "outcome": self.outcome,
            "type": None if self.type == REJECTED else self.type,
            "stage": self.stage or None,
            "platform": self.platform or None,
            "session": self.session or None,
            "occurred_at": None if self.occurred_ms is None else timestamp(self.occurred_ms),
            "customer": dict(self.customer),
            "cart": self.cart or None,
            "findings": [
                {"level": one.level, "field": one.field, "message": one.message, "effect": one.effect}
                for one in self.findings
            ],
        }


def view(entry: StreamEntry) -> EventView:
    """Return ingest's reading of an entry. Never raises because of its content."""
    raw, arrived_ms = entry.event or b"", entry.arrival_ms
    findings = (_NO_EVENT,) if entry.event is None else tuple(map(_masked, check(raw, arrived_ms)))
    event = parse(raw).event
    # An order or opt-out without a session and a person is readable, and still rejected.
    if event is None or any(one.effect == REJECTED_EFFECT for one in findings):
        shown = tuple(map(_stated, findings))
        session = _session(session_in(raw))
        return EventView(entry.id.decode(), arrived_ms, REJECTED, "", "", session, None, {}, "", shown)
    return EventView(
        entry=entry.id.decode(),
        arrived_ms=arrived_ms,
        type=event.type,
        stage=event.flow_stage or "",
        platform=event.platform or "",
        session=_session(public_session_id(event.session_id or "")),
        occurred_ms=None if event.occurred_at is None else epoch_ms(event.occurred_at),
        customer={} if event.customer is None else dict(_customer(event.customer)),
        cart=_cart(event),
        findings=tuple(map(_stated, findings)),
    )


def _session(text: str) -> str:
    """Return a session's id, masked if the shop uses an e-mail address or an international phone number as the id."""
    if "@" in text and emails.email(text):
        return mask_email(text)
    return mask_phone(text) if text.startswith("+") else text


def _masked(finding: EventFinding) -> EventFinding:
    """Hide the name of an unknown field if it may be an address or a number, and shorten a long one."""
    name = finding.field
    if "@" in name or _NUMBER.search(name):
        return replace(finding, field=MASK)
    return replace(finding, field=f"{name[:_LONGEST_FIELD]}...") if len(name) > _LONGEST_FIELD else finding


def _stated(finding: EventFinding) -> EventFinding:
    """State an effect as a fact, because the event was sent."""
    return replace(finding, effect=finding.effect.replace("days would be", "days are").replace("would be", "is"))


def _customer(customer: Customer) -> Iterator[tuple[str, str]]:
    if customer.full_name:
        name = names.person_name(customer.full_name)
        yield "name", mask_words(name) if name else _NOT_VALID
    country = countries.country(customer.country_code or "")
    if customer.phone_number:
        number = phones.phone(customer.phone_number, country)
        yield "phone", mask_phone(number) if number else _NOT_VALID
        country = country or (number and phones.country_of_phone(number))
    if customer.email:
        email = emails.email(customer.email)
        yield "e-mail", mask_email(email) if email else _NOT_VALID
    if country or customer.country_code:
        yield "country", country or _NOT_VALID
    if customer.consent is not None:
        for channel in ("call", "whatsapp"):
            answer = getattr(customer.consent, channel)
            if answer is not None:
                yield f"consent to {channel}", "yes" if answer else "no"


def _cart(event: ActivityEvent) -> str:
    if "cart" not in event.model_fields_set:
        return "" if event.order_value is None else f"order of {_money(event.order_value, event.currency)}"
    if event.cart is None or event.cart.is_empty:
        return "cart emptied"
    return f"cart of {_worth(event.cart)}"


def _worth(cart: Cart) -> str:
    items = "" if cart.items is None else f"{len(cart.items)} item{'' if len(cart.items) == 1 else 's'}"
    worth = "" if cart.total_value is None else _money(cart.total_value, cart.currency)
    return ", ".join(part for part in (worth, items) if part) or "unknown value"


def _money(value: float, currency: str | None) -> str:
    return one_line(f"{amount(value, None)} {(currency or '')[:3]}".strip())
