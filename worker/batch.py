"""What a batch of stream entries comes to: changes of sessions, marks on people, and what could not be read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from detectors import looking_around
from detectors.activity import ActivityEvent
from detectors.normalize.identities import identities_of, named_by
from detectors.parsing import Problem, parse
from detectors.sequence import Position, occurred_ms, position
from state.marking import CHANNELS, Channel
from state.session import PERSON
from state.sessions import Change
from state.stream import Entry
from tasks.consent import FIELDS
from tasks.record import fields_of
from worker.attribution import Order, order_of, said_in

MINUTE_MS = 60_000
_ABOUT_PERSON = (*PERSON, *FIELDS.values())
"""Stored fields that say who the person is, or what they answered."""
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an entry, or (`applied`) a part of it, was left out."""

    entry_id: bytes
    problems: tuple[Problem, ...]
    applied: bool


class Answer(NamedTuple):
    """A customer's answer to the question for consent, in an event that says who the customer is."""

    identity: str
    channel: Channel
    said: Literal["yes", "no"]
    at_ms: int
    """When the event occurred (Unix ms)."""
    given_at: str
    source: str
    """These two are the proof as the shop wrote it; empty when it wrote none."""


@dataclass(slots=True)
class Batch:
    """What has to be written for some entries. Identities: see `detectors.normalize.identities`. Times are Unix ms."""

    changes: list[Change] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    """In which minute (since 1970) each change's event arrived."""
    bought: list[tuple[str, int]] = field(default_factory=list)
    """Every identity that an order may name, and when it was made."""
    opted_out: list[tuple[str, int]] = field(default_factory=list)
    """Every identity that an opt-out may name, and when it was said."""
    answers: list[Answer] = field(default_factory=list)
    """A no counts for every identity that may be meant, a yes for those that surely are."""
    taken_over: list[tuple[str, str, int]] = field(default_factory=list)
    """Which session was taken over by which, and the sequence number of the event that said so."""
    named: list[tuple[str, int]] = field(default_factory=list)
    """Sessions whose person an event says more about, and when; the changes of these events have `tell` set."""
    orders: list[Order] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


# A session that is nowhere in the flow waits in no lane: both would be lost.
_TAKEOVER_NOWHERE = Problem("previous_session_id", "needs flow_stage and platform in the same event")
_NOBODY = Problem("customer", "names nobody: without a session_id the event needs a valid phone_number or email")


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
    _add_answers(batch, event, place)
    if event.type in {"order_completed", "opt_out"} and not _mark_person(batch, event, place):
        batch.rejections.append(Rejection(entry_id, (_NOBODY,), applied=False))
    if event.type == "order_completed":
        batch.orders.append(order_of(event, place, len(batch.changes)))
    if event.session_id is not None:
        if event.previous_session_id is not None:
            if place.activity:
                batch.taken_over.append((event.previous_session_id, event.session_id, place.stamp))
            else:
                batch.rejections.append(Rejection(entry_id, (_TAKEOVER_NOWHERE,), applied=True))
        fields = fields_of(event)
        tell = any(fields.get(name) for name in _ABOUT_PERSON)
        if tell:
            batch.named.append((event.session_id, occurred_ms(place.stamp)))
        if event.type == "opt_out":
            fields["opted_out"] = "1"
        batch.changes.append(Change(event.session_id, *place, fields, tell))
        batch.minutes.append(arrival_ms // MINUTE_MS)


def _mark_person(batch: Batch, event: ActivityEvent, place: Position) -> bool:
    """Mark the person that the event itself names; False when it names nobody at all."""
    found = named_by(*said_in(event))
    marks, at_ms = (
        (batch.opted_out, occurred_ms(place.stamp))
        if event.type == "opt_out"
        else (batch.bought, occurred_ms(place.purchase))
    )
    marks.extend((identity, at_ms) for identity in found)
    return bool(found) or event.session_id is not None


def _add_answers(batch: Batch, event: ActivityEvent, place: Position) -> None:
    consent = event.customer.consent if event.customer else None
    if consent is None:
        return
    proof = (consent.given_at or "", consent.source or "")
    for channel in CHANNELS:
        said = getattr(consent, channel)
        if said is not None:
            found = identities_of(*said_in(event)) if said else named_by(*said_in(event))
            at_ms = occurred_ms(place.stamp)
            batch.answers += [Answer(one, channel, "yes" if said else "no", at_ms, *proof) for one in found]
