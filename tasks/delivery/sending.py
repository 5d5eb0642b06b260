"""The second half of an attempt: from the last check before the request to its record (see tasks.delivery.attempt).

gate ▶ fence ▶ reserve person ▶ in time? ▶ POST ▶ (release person) ▶ settle

If the state has replicas, enough of them must acknowledge the fence, and then the reservation, before the next step.
"""

import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import assert_never

import structlog

from detectors.lanes import milliseconds
from detectors.minor_units import of_stored
from state.channels import Channel
from state.errors import StateError
from state.limit import Limit
from state.outbox import Taken
from state.people import Reservation
from state.sending_control import Admitted
from state.tracing import Span
from tasks.delivery import breaker, payload, yuno
from tasks.delivery.deadline_transport import Attempt
from tasks.delivery.settling import CATCH_UP, AttemptOutcome, retry_while_unavailable, settle
from tasks.deps import Deps
from tasks.failpoints import reached

log = structlog.get_logger("winback.tasks")

ANOTHER_MODE = timedelta(seconds=5)
"""How soon another worker can take an outreach that a worker in the wrong mode returned."""
REPLICAS_BACK = timedelta(seconds=5)
"""How soon to retry if too few replicas acknowledge an attempt; each try waits a second for them."""
PAYMENT_CHECK = timedelta(minutes=10)
"""How soon to check again whether a payment of the person is in progress."""
PERSON_TAKEN = {
    "limited": "contacted_recently",
    "bought": "bought_recently",
    "opted_out": "opted_out",
    "refused": "no_consent",
}


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """One contact that the policy allowed."""

    taken: Taken
    people: tuple[str, ...]
    """The person by all their identities, as `People.reserve` takes them."""
    built: payload.Built
    limits: tuple[Limit, ...]
    channels: frozenset[Channel]
    """The channels that the request can use."""
    proof: str
    """The answers on which it rests; see tasks.policy.consent."""


@dataclass(slots=True)
class Permit:
    """The permit and daily slot of an attempt, which it returns if unused."""

    request_made: bool = False
    day: str = ""
    """The day of its slot, which it returns; empty for none."""


def send(contact: PlannedContact, client: yuno.YunoClient, deps: Deps, *, permit: Permit) -> AttemptOutcome:
    """Make the request and record its result, unless a check forbids the contact."""
    taken, people, built = contact.taken, contact.people, contact.built
    admitted = _pass_gate(taken, deps)
    if isinstance(admitted, AttemptOutcome):
        return admitted
    # An earlier attempt might have been a contact: then the slot stays taken.
    permit.day = "" if taken.ambiguous else admitted.day
    # Read before the fence is called, so that the renewed lease can't end earlier than by this clock.
    started = deps.monotonic()
    body = taken.body or built.request.to_json()
    key = taken.key or idempotency_key(deps.identity_secret, taken)
    number = _fence(contact, body, key, deps)
    if isinstance(number, AttemptOutcome):
        return number
    reached("outreach_fenced")
    refused = _reserve(contact, number, deps)
    if refused is not None:
        return refused
    reached("person_reserved")

    timeout = deps.delivery.timeout.total_seconds()
    latest_start = started + deps.delivery.lease.total_seconds() - 1.5 * timeout
    limits = Attempt(latest_start, deps.monotonic() + timeout, deps.monotonic)
    permit.request_made = True
    began = deps.monotonic()
    with deps.trace("request") as span:
        reply = client.post(body, key, limits, now=deps.now())
        _describe(span, reply)
    took_s = deps.monotonic() - began
    reached("reply_read")
    _record(taken, admitted, reply, deps, permit=permit)
    if breaker.not_delivered(reply) and not taken.ambiguous:
        retry_while_unavailable(deps, deps.people.release)(people, taken.outreach, taken.token)
        reached("person_released")
    outcome = settle(taken, number, reply, deps, left_out=built.left_out, took_s=took_s)
    reached("outreach_settled")
    return outcome


def _describe(span: Span, reply: yuno.Reply) -> None:
    span.set("outcome", type(reply).__name__)
    why = f"http_{reply.status}" if isinstance(reply, yuno.Accepted) else reply.why
    if (status := why.removeprefix("http_").partition(".")[0]).isdecimal():
        span.set("status", int(status))


def _pass_gate(taken: Taken, deps: Deps) -> Admitted | AttemptOutcome:
    """Pass the gate, or return the outcome of a forbidden attempt."""
    admitted = deps.control.gate(taken)
    if isinstance(admitted, Admitted):
        return admitted
    if admitted == "missed":
        state = deps.outbox.end_unsent(taken, "suppressed", "orders_missing")
        return AttemptOutcome(taken.outreach, state or "lost", "orders_missing")
    # Keep its earlier due time; nothing is dispatched while this lasts. In the wrong mode, other workers might be able
    # to send it.
    delay_ms = milliseconds(ANOTHER_MODE) if admitted == "another_mode" else None
    kept = deps.outbox.postpone(taken, delay_ms=delay_ms, why=f"sending_{admitted}")
    return AttemptOutcome(taken.outreach, "postponed" if kept else "lost", f"sending_{admitted}")


def _fence(contact: PlannedContact, body: str, key: str, deps: Deps) -> int | AttemptOutcome:
    """Pass the fence and return the attempt's number, or the outcome of a forbidden attempt."""
    taken = contact.taken
    try:
        fenced = deps.outbox.fence(taken, body=body, key=key, consent=contact.proof)
    except StateError as exc:
        log.warning("not_fenced", outreach=taken.outreach, error=str(exc))
        return _abandon_attempt(taken, taken.attempts + 1, "state_unreachable", deps)
    match fenced.verdict:
        case "sending":
            return fenced.attempt
        case "not_replicated":
            return _abandon_attempt(taken, fenced.attempt, "not_replicated", deps)
        case "busy":
            deps.outbox.postpone(taken, delay_ms=deps.outbox.lease_ms, why="session_is_sending")
            return AttemptOutcome(taken.outreach, "postponed", "session_is_sending")
        case "cancelled" | "lost":
            return AttemptOutcome(taken.outreach, fenced.verdict)
        case _:
            assert_never(fenced.verdict)


def _record(taken: Taken, admitted: Admitted, reply: yuno.Reply, deps: Deps, *, permit: Permit) -> None:
    """Report to all workers what the reply means for their requests, before another worker can take this outreach."""
    if not breaker.not_delivered(reply):
        permit.day = ""
    match breaker.verdict(reply):
        case None:
            permit.request_made = False
        case "works":
            deps.control.report_success(taken, admitted, now_s=deps.monotonic())
        case "failing" | "refused" as health:
            why = "" if isinstance(reply, yuno.Accepted) else reply.why
            deps.control.report_outcome(taken, health, why, pause_ms=breaker.asked_pause_ms(reply))


def reserve(contact: PlannedContact, deps: Deps) -> Reservation:
    """Reserve the person, and attribute their orders to this contact from now on."""
    taken = contact.taken
    lead = deps.attribution.contact_ref(str(of_stored(taken.session.fields) or ""), taken.now_ms)
    return deps.people.reserve(
        contact.people,
        taken.outreach,
        taken.token,
        lead,
        contact.limits,
        channels=contact.channels,
        ambiguous=taken.ambiguous,
    )


def _reserve(contact: PlannedContact, number: int, deps: Deps) -> AttemptOutcome | None:
    """Reserve the person; if that is refused, settle the attempt without a request."""
    taken, people = contact.taken, contact.people
    try:
        answer = reserve(contact, deps)
    except StateError as exc:
        log.warning("not_reserved", outreach=taken.outreach, error=str(exc))
        return _abandon_attempt(taken, number, "state_unreachable", deps, people=people)
    if answer == "not_replicated":
        return _abandon_attempt(taken, number, answer, deps, people=people)
    if answer == "reserved":
        deps.replication("well")
        return None
    if answer in PERSON_TAKEN:
        end = retry_while_unavailable(deps, deps.outbox.settle)
        state = end(taken, "suppressed", reason=PERSON_TAKEN[answer], line=f"attempt {number} not made")
        return AttemptOutcome(taken.outreach, state or "lost", PERSON_TAKEN[answer])
    # Held by an attempt that can still end without a contact, paying, or held by a later token of this outreach.
    wait = {"held": deps.delivery.lease, "paying": PAYMENT_CHECK}.get(answer)
    why = "payment_in_progress" if answer == "paying" else f"person_{answer}"
    return settle(taken, number, yuno.TryAgain(why, wait, counted=False), deps)


def _abandon_attempt(taken: Taken, number: int, why: str, deps: Deps, *, people: Sequence[str] = ()) -> AttemptOutcome:
    """Return an attempt without a request, because it might not be recorded everywhere.

    This is better than an outreach that ends as unknown. A possible reservation of `people` is released, unless an
    earlier attempt might have been a contact.
    """
    if why == "not_replicated":
        deps.replication("failing")
    if people and not taken.ambiguous:
        retry_while_unavailable(deps, deps.people.release)(people, taken.outreach, taken.token)
    wait = REPLICAS_BACK if why == "not_replicated" else CATCH_UP
    outcome = settle(taken, number, yuno.TryAgain(why, wait, counted=False), deps)
    if outcome.outcome == "lost":
        # The fence wasn't carried out, or it was lost with a failed primary.
        postpone = retry_while_unavailable(deps, deps.outbox.postpone)
        if postpone(taken, delay_ms=milliseconds(wait), why=why):
            return AttemptOutcome(taken.outreach, "postponed", why)
    return outcome


def idempotency_key(secret: bytes, taken: Taken) -> str:
    """Return the same UUID (version 4) for the same abandonment, even if it is claimed again after a loss."""
    text = f"{taken.session.session_id}|{taken.last}".encode()
    return str(uuid.UUID(bytes=hmac.digest(secret, text, sha256)[:16], version=4))
