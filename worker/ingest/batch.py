"""The effect of a batch of stream entries: changes of sessions, marks on people, and rejections. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from detectors.activity import ActivityEvent
from detectors.normalize.identities import identities_of
from detectors.normalize.session_ids import public_session_id, session_key
from detectors.parsing import Problem, parse, session_in
from detectors.sequence import (
    ACTIVITY_RANK,
    FURTHEST_EXPIRY_MS,
    RANK_SPAN,
    Position,
    epoch_ms,
    occurred_ms,
    position,
)
from detectors.sessions_named import sessions_named
from state.event_flow import FlowCounts
from state.event_stream import StreamEntry, entry_ms
from state.orders import SessionMoment
from state.person_marks import PaymentNews
from state.sessions import Change
from worker.ingest import fast_path
from worker.ingest.answers import EventAnswer, answers_of_event
from worker.ingest.changes import PAYMENTS, STOPS, other_change, own_change
from worker.ingest.crediting import Order, named_in, order_of, written

MINUTE_MS = 60_000
CHECKOUT_RANK = min(rank for (stage, _), rank in ACTIVITY_RANK.items() if stage in {"checkout", "payment"})


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why an entry, or a part of it (`applied`), was left out."""

    entry_id: bytes
    problems: tuple[Problem, ...]
    applied: bool
    session: str = ""
    """The session as the shop calls it, without credentials; empty if it can't be read."""


class NamedPayment(NamedTuple):
    """The status of a person's payment."""

    identity: str
    payment: PaymentNews


class NamedIdentity(NamedTuple):
    """An identity that an event may name, and the time of the event (Unix ms)."""

    identity: str
    at_ms: int


class Takeover(NamedTuple):
    """A superseded session, its successor, and the sequence number of the event that named both."""

    previous: str
    session: str
    stamp: int


@dataclass(slots=True)
class Batch:
    """The data to write for some entries. Identities: see `detectors.normalize.identities`. Times are Unix ms."""

    changes: list[Change] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    """The minute (since 1970) in which each change's event arrived."""
    bought: list[NamedIdentity] = field(default_factory=list)
    """Every identity that an order may name, and the time of the order."""
    opted_out: list[NamedIdentity] = field(default_factory=list)
    """Every identity that an opt-out may name, and the time of the opt-out."""
    payments: list[NamedPayment] = field(default_factory=list)
    """Every identity that an event about a payment may name, and the status of the payment."""
    session_payments: dict[int, PaymentNews] = field(default_factory=dict)
    """The indexes of the changes that report the status of a payment."""
    answers: list[EventAnswer] = field(default_factory=list)
    """A no counts for every identity that may be meant, a yes only for those that are surely meant."""
    superseded: list[Takeover] = field(default_factory=list)
    naming_changes: list[int] = field(default_factory=list)
    """The indexes of the changes with news of their session's person. They have `wants_mark` set unless it is known."""
    known_since: object = None
    """The state of the memory of known people; see `worker.ingest.people.Since`."""
    checkouts: list[int] = field(default_factory=list)
    """The indexes of the changes that put their session at the checkout."""
    orders: list[Order] = field(default_factory=list)
    placed: list[SessionMoment] = field(default_factory=list)
    """For each order, its session (empty if it has none) and its time of arrival."""
    rejections: list[Rejection] = field(default_factory=list)
    kinds: list[int | tuple[int, str]] = field(default_factory=list)
    """The minute of arrival (since 1970) and the kind of each event that is read: of a usual one `minute * RANK_SPAN +
    rank`, which takes a third of the time, else the minute with type and stage (`exit.checkout`)."""
    flow: FlowCounts | None = None
    """The batch's counts for the event flow; None once they are written."""


_FURTHEST_BEHIND_UTC_MS = 12 * 3600 * 1000
NAME_PERSON = STOPS | PAYMENTS
"""Events that count for the people they name, even without a session."""

# A session without a stage waits in no lane, so both sessions would be lost.
_TAKEOVER_NOWHERE = Problem("previous_session_id", "needs flow_stage and platform in the same event")
_NO_IDENTITY = Problem(
    "customer.phone_number", "is not a valid number, and without a session_id or an email the event names no person"
)


def collect(entries: Sequence[StreamEntry], latest_ms: int | None = None) -> Batch:
    """Convert entries to their changes. Never raises because of an entry's content.

    `latest_ms` (Unix ms): the latest possible time of arrival, whatever an entry's id implies. A stream's ids stay
    ahead after a clock was.
    """
    batch = Batch()
    changes, minutes, kinds = batch.changes, batch.minutes, batch.kinds
    for entry_id, raw in entries:
        if raw is None:
            problem = Problem("event", "is missing: the entry needs a field `event` that holds one JSON object")
            batch.rejections.append(Rejection(entry_id, (problem,), applied=False))
            continue
        arrival_ms = entry_ms(entry_id)
        if latest_ms is not None and arrival_ms > latest_ms:
            arrival_ms = latest_ms
        if usual := fast_path.read(raw, arrival_ms):
            rank = usual[1] % RANK_SPAN  # of its stamp, by index: in half the time
            minute = arrival_ms // MINUTE_MS
            kinds.append(minute * RANK_SPAN + rank)
            if rank >= CHECKOUT_RANK:
                batch.checkouts.append(len(changes))
            changes.append(usual)
            minutes.append(minute)
            continue
        parsed = parse(raw)
        if parsed.problems:
            event = parsed.event
            named = session_in(raw) if event is None else public_session_id(event.session_id or "")
            batch.rejections.append(Rejection(entry_id, parsed.problems, event is not None, named))
        event = parsed.event
        if event is None:
            continue
        kind = event.type if event.flow_stage is None else f"{event.type}.{event.flow_stage}"
        kinds.append((arrival_ms // MINUTE_MS, kind))
        _add(batch, entry_id, arrival_ms, event)
    return batch


def _add(batch: Batch, entry_id: bytes, arrival_ms: int, event: ActivityEvent) -> None:
    event_position, text = position(event, arrival_ms), event.session_id
    names_one_session = event.previous_session_id is None and not event.cart_ids
    if names_one_session and event.type not in STOPS and text and not text.isspace():
        # The case of nearly all events.
        _add_own(batch, session_key(text), event, event_position)
        batch.minutes.append(arrival_ms // MINUTE_MS)
        _add_people(batch, event, event_position)
        return
    sessions, before, people = sessions_named(event), len(batch.changes), _add_people(batch, event, event_position)
    if event.type in NAME_PERSON and not people and not sessions:
        batch.rejections.append(Rejection(entry_id, (_NO_IDENTITY,), applied=False))
    if event.type == "order_completed":
        batch.orders.append(order_of(event, event_position, tuple(sessions), before))
        batch.placed.append(SessionMoment(next(iter(sessions), ""), arrival_ms))
    own = session_key(text) if text else ""
    for session, named in sessions.items():
        if session == own:
            _add_own(batch, session, event, event_position)
        elif change := other_change(session, named, event, event_position):
            batch.changes.append(change)
    batch.minutes += [arrival_ms // MINUTE_MS] * (len(batch.changes) - before)
    if own and event.previous_session_id:
        if event_position.activity:
            batch.superseded.append(Takeover(session_key(event.previous_session_id), own, event_position.stamp))
        elif event.type not in STOPS:
            batch.rejections.append(
                Rejection(entry_id, (_TAKEOVER_NOWHERE,), applied=True, session=public_session_id(text or ""))
            )


def _add_own(batch: Batch, session: str, event: ActivityEvent, event_position: Position) -> None:
    change = own_change(session, event, event_position)
    if event.type in PAYMENTS:
        # Always request the mark: other sessions of this person may be silent.
        batch.session_payments[len(batch.changes)] = _payment(event, event_position)
    elif change.wants_mark:
        batch.naming_changes.append(len(batch.changes))
    if event_position.activity % RANK_SPAN >= CHECKOUT_RANK:
        batch.checkouts.append(len(batch.changes))
    batch.changes.append(change)


def _add_people(batch: Batch, event: ActivityEvent, event_position: Position) -> bool:
    """Mark the people that the event itself names. Return False if it names no person."""
    customer = event.customer
    consent = None if customer is None else customer.consent
    if event.type not in NAME_PERSON and consent is None:
        return False
    meant, at_ms = named_in(event), occurred_ms(event_position.stamp)
    if event.type == "order_completed":
        batch.bought += (NamedIdentity(identity, at_ms) for identity in meant)
    if event.type == "opt_out":
        batch.opted_out += (NamedIdentity(identity, at_ms) for identity in meant)
    if event.type in PAYMENTS:
        payment = _payment(event, event_position)
        # The end of a payment allows a contact, so it counts only for people who are surely meant.
        sure = () if customer is None else identities_of(*written(customer))
        batch.payments += (NamedPayment(identity, payment) for identity in (meant if payment.in_progress else sure))
    if customer is not None and consent is not None:
        batch.answers += answers_of_event(consent, meant, identities_of(*written(customer)), at_ms)
    return bool(meant)


def _payment(event: ActivityEvent, event_position: Position) -> PaymentNews:
    at_ms, expires_at = occurred_ms(event_position.stamp), event.expires_at
    expires_ms = 0
    if expires_at is not None:
        # Without a zone it can be the local time of any place: the latest is meant, which is 12 h behind UTC.
        margin_ms = 0 if expires_at.tzinfo else _FURTHEST_BEHIND_UTC_MS
        expires_ms = min(epoch_ms(expires_at) + margin_ms, at_ms + FURTHEST_EXPIRY_MS)
    return PaymentNews(at_ms, in_progress=event.type == "payment_pending", expires_ms=expires_ms)
