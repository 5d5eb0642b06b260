"""What a batch of stream entries comes to: changes of sessions, marks on people, and what could not be read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detectors import looking_around
from detectors.activity import ActivityEvent
from detectors.normalize.countries import country
from detectors.normalize.phones import phone
from detectors.parsing import Problem, parse
from detectors.sequence import Position, occurred_ms, position
from state.sessions import Change
from state.stream import Entry
from tasks.record import fields_of
from worker.attribution import Order, order_of

MINUTE_MS = 60_000
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an entry, or (`applied`) a part of it, was left out."""

    entry_id: bytes
    problems: tuple[Problem, ...]
    applied: bool


@dataclass(slots=True)
class Batch:
    """What has to be written for some entries; phone numbers are E.164, times Unix ms."""

    changes: list[Change] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    """In which minute (since 1970) each change's event arrived."""
    bought: list[tuple[str, int]] = field(default_factory=list)
    opted_out: list[str] = field(default_factory=list)
    taken_over: list[tuple[str, str, int]] = field(default_factory=list)
    """Which session was taken over by which, and the sequence number of the event that said so."""
    named: list[tuple[str, str, int]] = field(default_factory=list)
    """Who was named in which session and when: phone number (E.164), session, Unix ms."""
    orders: list[Order] = field(default_factory=list)
    placed: list[tuple[str, int]] = field(default_factory=list)
    """Of each order its session, empty for none, and when it arrived (Unix ms)."""
    rejections: list[Rejection] = field(default_factory=list)


# A session that is nowhere in the flow waits in no lane: both would be lost.
_TAKEOVER_NOWHERE = Problem("previous_session_id", "needs flow_stage and platform in the same event")
_NOBODY = Problem("customer.phone_number", "is not a valid number, and without a session_id the event names nobody")


def collect(entries: Sequence[Entry]) -> Batch:
    """Read entries into what they change. Never raises on what an entry holds."""
    batch = Batch()
    for entry in entries:
        if entry.event is None:
            problem = Problem("event", "is missing: the entry needs a field `event` that holds one JSON object")
            batch.rejections.append(Rejection(entry.id, (problem,), applied=False))
            continue
        arrival_ms = entry.arrival_ms
        if usual := looking_around.read(entry.event, arrival_ms):
            session_id, activity, silent_since_ms = usual
            batch.changes.append(Change(session_id, activity, activity, 0, 0, silent_since_ms, _NOTHING))
            batch.minutes.append(arrival_ms // MINUTE_MS)
            continue
        parsed = parse(entry.event)
        if parsed.problems:
            batch.rejections.append(Rejection(entry.id, parsed.problems, applied=parsed.event is not None))
        if parsed.event is not None:
            _add(batch, entry.id, arrival_ms, parsed.event)
    return batch


def _add(batch: Batch, entry_id: bytes, arrival_ms: int, event: ActivityEvent) -> None:
    place = position(event, arrival_ms)
    if event.type in {"order_completed", "opt_out"} and not _mark_person(batch, event, place):
        batch.rejections.append(Rejection(entry_id, (_NOBODY,), applied=False))
    if event.type == "order_completed":
        batch.orders.append(order_of(event, place, len(batch.changes)))
        batch.placed.append((event.session_id or "", arrival_ms))
    if event.session_id is not None:
        if event.previous_session_id is not None:
            if place.activity:
                batch.taken_over.append((event.previous_session_id, event.session_id, place.stamp))
            else:
                batch.rejections.append(Rejection(entry_id, (_TAKEOVER_NOWHERE,), applied=True))
        customer = event.customer
        if customer is not None and customer.phone_number:
            number = phone(customer.phone_number, country(customer.country_code or ""))
            if number is not None:
                batch.named.append((number, event.session_id, occurred_ms(place.stamp)))
        fields = fields_of(event)
        if event.type == "opt_out":
            fields["opted_out"] = "1"
        batch.changes.append(Change(event.session_id, *place, fields))
        batch.minutes.append(arrival_ms // MINUTE_MS)


def _mark_person(batch: Batch, event: ActivityEvent, place: Position) -> bool:
    """Mark the person that the event itself names; False when it names nobody at all."""
    customer = event.customer
    if customer is None or not customer.phone_number:
        return True
    number = phone(customer.phone_number, country(customer.country_code or ""))
    if number is None:
        return event.session_id is not None
    if event.type == "opt_out":
        batch.opted_out.append(number)
    else:
        batch.bought.append((number, occurred_ms(place.purchase)))
    return True
