"""One attempt to reach one person, step by step. The order of the steps and every guard were model-checked.

    take ▶ caught up? ▶ policy ▶ build body ▶ gate ▶ fence ▶ reserve person ▶ in time? ▶ POST ▶ record
         ▶ (release person) ▶ settle ▶ (give back permit)

The gate says whether anybody may send at all; record tells all others whether the API works.

Whatever happens between two steps (a crash, a stall, a second worker), each next step notices that the outreach is not
ours any more, or the lease runs out and the outreach ends `unknown` rather than being sent twice.
"""

import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import ParamSpec, TypeVar, assert_never

from detectors.flow import Stage
from detectors.lanes import LANES_BY_NAME, milliseconds
from detectors.sequence import occurred_ms
from state.control import Passed
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.outbox import Taken
from state.people import Facts, person_of
from state.stream import entry_order
from tasks import breaker, payload, policy, worth, yuno
from tasks.backoff import delay
from tasks.deps import Deps
from tasks.network import Attempt

P = ParamSpec("P")
R = TypeVar("R")

CATCH_UP = timedelta(seconds=1)
LOOK_AGAIN_S = 0.05
UNREADABLE_PAUSE = timedelta(minutes=5)
"""How soon somebody may have added the key that is missing."""
LONGEST_UNKNOWN = timedelta(hours=24)
"""For so long Yuno replays the answer to a key it knows; afterwards a repetition would be a second contact."""
_PERSON_TAKEN = {"capped": "contacted_recently", "bought": "bought_recently", "opted_out": "opted_out"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: the outreach's state now, why, and the number of the request (0: none was made)."""

    outreach: str
    outcome: str
    reason: str = ""
    attempt: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact that the policy let pass."""

    taken: Taken
    stage: Stage
    person: str
    built: payload.Built


@dataclass(slots=True)
class _Permit:
    """What an attempt was given at dispatch and at the gate, and gives back when it does not use it."""

    request_made: bool = False
    day: str = ""
    """Among whose contacts it has a place that it gives back; empty for none."""


def attempt(outreach: str, deps: Deps) -> Outcome:
    """Make one attempt at an outreach and record how it went.

    Raises:
        StateError: Redis could not be reached; the outreach's lease runs out and it is taken up again.
    """
    taken = deps.outbox.take(outreach)
    if taken is None:
        # A message that came twice: the permit is that of the attempt which the other one began.
        return Outcome(outreach, "dropped", "not_waiting")
    permit = _Permit()
    outcome = _attempt(taken, permit, deps)
    if deps.client is not None:
        deps.control.give_back(taken, requests=int(not permit.request_made), day=permit.day)
    return outcome


def _attempt(taken: Taken, permit: _Permit, deps: Deps) -> Outcome:
    outreach = taken.outreach
    waited_s = _catch_up(taken, deps)
    if waited_s is None:
        deps.outbox.postpone(taken, delay_ms=milliseconds(CATCH_UP), why="")
        return Outcome(outreach, "postponed", "ingest_behind")
    if waited_s:
        # What has been applied meanwhile counts: a consent taken back, a corrected number.
        taken = replace(taken, session=deps.sessions.read([taken.session.session_id])[0])

    return _decided(taken, permit, deps)


def _decided(taken: Taken, permit: _Permit, deps: Deps) -> Outcome:
    """Ask the policy, and do what it says."""
    lane = LANES_BY_NAME[taken.lane]
    built = payload.build(
        taken.session.fields,
        session_id=taken.session.session_id,
        stage=lane.stage,
        platform=lane.platform,
        abandoned_ms=occurred_ms(taken.last),
        reason=lane.kind.reason(lane.stage),
    )
    situation = _situation(taken, built, deps)
    decision = _unreadable(taken, deps) or policy.decide(situation, deps.contact)
    if not isinstance(decision, policy.Send | policy.HoldOut) or isinstance(built, payload.InvalidContact):
        return _not_sending(taken, decision, deps)
    if taken.ambiguous and _unknown_for(taken) + deps.delivery.lease >= LONGEST_UNKNOWN:
        state = deps.outbox.end_unsent(taken, "unknown", "key_forgotten")
        return Outcome(taken.outreach, state or "lost", "key_forgotten")
    if deps.client is None:
        state = deps.outbox.end_unsent(taken, "suppressed", "shadow")
        return Outcome(taken.outreach, state or "lost", "shadow")
    deps.attribution.remember(situation.person_id, taken.outreach, worth.of_stored(taken.session.fields))
    contact = Contact(taken, lane.stage, situation.person_id, built)
    if isinstance(decision, policy.HoldOut) and not taken.attempts:
        return _hold_out(contact, deps)
    may, wanted = policy.may_use(situation, deps.contact), deps.contact.at(lane.stage).channel
    return _send(replace(contact, built=payload.by_channel(built, may, wanted)), deps.client, deps, permit=permit)


def _catch_up(taken: Taken, deps: Deps) -> float | None:
    """Wait until all that had reached Redis when the outreach was dispatched is applied; return how long (s), or None.

    Waits for up to CATCH_UP: each postponement notes anew what has arrived, so that under a steady lag, however short,
    an outreach that is postponed at once could be postponed for ever.
    """
    waited_s = 0.0
    while (first := deps.stream.first()) and entry_order(first) <= entry_order(taken.noted):
        if waited_s >= CATCH_UP.total_seconds():
            return None
        deps.sleep(LOOK_AGAIN_S)
        waited_s += LOOK_AGAIN_S
    return waited_s


def _unreadable(taken: Taken, deps: Deps) -> policy.Decision | None:
    """Put off what cannot be decrypted, and say so in the status, until the key is back or it is too late."""
    why = taken.unreadable or taken.session.unreadable
    if not why:
        return None
    deps.report("encryption", f"outreach {taken.outreach}: {why}")
    late = taken.now_ms > taken.expires_at_ms
    return policy.Expire("unreadable") if late else policy.Postpone(milliseconds(UNREADABLE_PAUSE), "unreadable")


def _situation(taken: Taken, built: payload.Built | payload.InvalidContact, deps: Deps) -> policy.Situation:
    # A repetition goes to the number that its stored body names, whatever a late event has corrected since.
    phone = payload.phone_in(taken.body) if taken.body else payload.phone_of(taken.session.fields)
    person_id = person_of(phone, deps.identity_secret) if phone else ""
    person = deps.people.facts(person_id) if person_id else Facts()
    return policy.Situation(
        now_ms=taken.now_ms,
        outreach=taken.outreach,
        stage=LANES_BY_NAME[taken.lane].stage,
        last_ms=occurred_ms(taken.last),
        expires_at_ms=taken.expires_at_ms,
        session=taken.session,
        purchased_at_ms=occurred_ms(taken.session.purchase),
        person_id=person_id,
        phone=phone or "",
        country=built.request.customer.country_code if isinstance(built, payload.Built) else "",
        person=person,
        elsewhere_ms=_active_elsewhere(taken, person, deps),
        reachable=isinstance(built, payload.Built),
        lease_ms=deps.outbox.lease_ms,
    )


def _active_elsewhere(taken: Taken, person: Facts, deps: Deps) -> int:
    """Return when the person was last active in another session that no sweep has found silent (Unix ms; 0: none)."""
    others = [session for session in person.sessions if session != taken.session.session_id]
    found = deps.sessions.read(others) if others else []
    return max((occurred_ms(max(s.activity, s.signal)) for s in found if s.state == "waiting"), default=0)


def _not_sending(taken: Taken, decision: policy.Decision, deps: Deps) -> Outcome:
    match decision:
        case policy.Postpone(delay_ms, why):
            kept = deps.outbox.postpone(taken, delay_ms=delay_ms, why=why)
            return Outcome(taken.outreach, "postponed" if kept else "lost", why)
        case policy.Suppress(reason):
            state = deps.outbox.end_unsent(taken, "suppressed", reason)
        case policy.Cancel(reason):
            state = deps.outbox.end_unsent(taken, "cancelled", reason)
        case policy.Expire(reason):
            state = deps.outbox.end_unsent(taken, "expired", reason)
        case policy.Send() | policy.HoldOut():
            raise AssertionError("policy let a contact pass that no request can be built for")
        case _:
            assert_never(decision)
    return Outcome(taken.outreach, state or "lost", reason)


def _hold_out(contact: Contact, deps: Deps) -> Outcome:
    """Record a person of the holdout like a contact: the cap counts from now on, and nothing is sent."""
    taken, stage = contact.taken, deps.contact.at(contact.stage)
    answer = deps.people.reserve(contact.person, taken.outreach, taken.claim, cap_ms=milliseconds(stage.cap))
    if answer == "reserved":
        state = deps.outbox.end_unsent(taken, "suppressed", "holdout")
        if state is None:
            deps.people.release(contact.person, taken.outreach, taken.claim)
        return Outcome(taken.outreach, state or "lost", "holdout")
    if answer in _PERSON_TAKEN:
        return _not_sending(taken, policy.Suppress(_PERSON_TAKEN[answer]), deps)
    return _not_sending(taken, policy.Postpone(deps.outbox.lease_ms, f"person_{answer}"), deps)


def _send(contact: Contact, client: yuno.YunoClient, deps: Deps, *, permit: _Permit) -> Outcome:
    taken, person, built = contact.taken, contact.person, contact.built
    passed = deps.control.gate(taken)
    if not isinstance(passed, Passed):
        # Back to where it was among those due; nothing is dispatched while this lasts.
        kept = deps.outbox.postpone(taken, delay_ms=None, why=f"sending_{passed}")
        return Outcome(taken.outreach, "postponed" if kept else "lost", f"sending_{passed}")
    # An earlier attempt may have been a contact: then the place stays taken.
    permit.day = "" if taken.ambiguous else passed.day
    # Read before the fence is called: the lease that it renews cannot end before this clock says so.
    started = deps.monotonic()
    body = taken.body or built.request.to_json()
    key = taken.key or idempotency_key(deps.identity_secret, taken)
    fenced = deps.outbox.fence(taken, body=body, key=key)
    if fenced.verdict == "busy":
        deps.outbox.postpone(taken, delay_ms=deps.outbox.lease_ms, why="session_is_sending")
        return Outcome(taken.outreach, "postponed", "session_is_sending")
    if fenced.verdict != "sending":
        return Outcome(taken.outreach, fenced.verdict)
    refused = _reserve(contact, fenced.attempt, deps)
    if refused is not None:
        return refused

    timeout = deps.delivery.timeout.total_seconds()
    latest_start = started + deps.delivery.lease.total_seconds() - 1.5 * timeout
    limits = Attempt(latest_start, deps.monotonic() + timeout, deps.monotonic)
    permit.request_made = True
    began = deps.monotonic()
    reply = client.post(body, key, limits, now=deps.now())
    took_s = deps.monotonic() - began
    _record(taken, passed, reply, deps, permit=permit)
    if breaker.surely_no_contact(reply) and not taken.ambiguous:
        _insisting(deps, deps.people.release)(person, taken.outreach, taken.claim)
    return _settle(taken, fenced.attempt, reply, deps, left_out=built.left_out, took_s=took_s)


def _record(taken: Taken, passed: Passed, reply: yuno.Reply, deps: Deps, *, permit: _Permit) -> None:
    """Let all workers know what the reply says about their requests, too; before anybody can take this one up again."""
    if not breaker.surely_no_contact(reply):
        permit.day = ""
    match breaker.verdict(reply):
        case None:
            permit.request_made = False
        case "works":
            deps.control.worked(taken, passed, now_s=deps.monotonic())
        case "failing" | "refused" as went:
            why = "" if isinstance(reply, yuno.Accepted) else reply.why
            deps.control.record(taken, went, why, pause_ms=breaker.asked_pause_ms(reply))


def _reserve(contact: Contact, number: int, deps: Deps) -> Outcome | None:
    """Reserve the person; when that is refused, settle the attempt that was not made."""
    taken, person = contact.taken, contact.person
    cap = timedelta() if "cap" in deps.contact.off else deps.contact.at(contact.stage).cap
    try:
        answer = deps.people.reserve(person, taken.outreach, taken.claim, cap_ms=milliseconds(cap))
    except StateError:
        # No request was made: that is worth more than an outreach that ends unknown.
        _insisting(deps, deps.people.release)(person, taken.outreach, taken.claim)
        return _settle(taken, number, yuno.TryAgain("state_away", counted=False), deps)
    if answer == "reserved":
        return None
    if answer in _PERSON_TAKEN:
        state = deps.outbox.settle(taken, "suppressed", reason=_PERSON_TAKEN[answer], line=f"attempt {number} not made")
        return Outcome(taken.outreach, state or "lost", _PERSON_TAKEN[answer])
    # Held by an attempt that may still end without a contact, or ours by a later claim.
    wait = deps.delivery.lease if answer == "held" else None
    return _settle(taken, number, yuno.TryAgain(f"person_{answer}", wait, counted=False), deps)


def _settle(
    taken: Taken,
    number: int,
    reply: yuno.Reply,
    deps: Deps,
    *,
    left_out: tuple[str, ...] = (),
    took_s: float | None = None,
) -> Outcome:
    line = f"attempt {number}" if took_s is None else f"attempt {number} in {took_s * 1000:.0f} ms"
    if left_out:
        line += f" (left out: {', '.join(left_out)})"
    settle = _insisting(deps, deps.outbox.settle)
    match reply:
        case yuno.Accepted(status):
            why = f"http_{status}"
            state = settle(taken, "sent", line=f"{line} {why}")
        case yuno.TryAgain(why, retry_after, counted):
            wait_ms = milliseconds(_delay(number, retry_after, deps))
            if not counted:
                state = settle(taken, "not_sent", reason=why, delay_ms=milliseconds(retry_after or CATCH_UP), line=line)
            elif number >= deps.delivery.max_attempts:
                state = settle(taken, "dead", reason="attempts_used_up", line=f"{line} {why}")
            else:
                state = settle(taken, "retry", reason=why, delay_ms=wait_ms, line=line)
        case yuno.Rejected(why, messages):
            state = settle(taken, "dead", reason=why, line=f"{line} {why}", quoted=" ".join(messages))
        case yuno.Undecided(why):
            state = _unknown(taken, number, why, line, deps)
        case yuno.Unauthorised(why):
            state = settle(taken, "not_sent", reason=why, line=line)
        case _:
            assert_never(reply)
    return Outcome(taken.outreach, state or "lost", "", number, why)


def _unknown(taken: Taken, number: int, why: str, line: str, deps: Deps) -> str | None:
    """Park it for a person to decide, or, where the merchant says that Yuno honours the key, repeat it with that."""
    settle = _insisting(deps, deps.outbox.settle)
    may = deps.delivery.on_unknown == "retry" and _unknown_for(taken) < LONGEST_UNKNOWN
    if not may or number >= deps.delivery.max_attempts:
        return settle(taken, "unknown", reason=why, line=line, ambiguous=True)
    wait_ms = milliseconds(_delay(number, None, deps))
    return settle(taken, "retry", reason=why, delay_ms=wait_ms, line=line, ambiguous=True)


def _insisting(deps: Deps, write: Callable[P, R]) -> Callable[P, R]:
    """Let what is known of an attempt be written again and again for as long as a lease, while the server is away.

    The answer to a request is worth waiting for a server that restarts. Our claim guards it, so it can't come too late.
    """

    def insist(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline, pause_s = deps.monotonic() + deps.delivery.lease.total_seconds(), 0.25
        while True:
            try:
                return write(*args, **kwargs)
            except (ServerUnavailableError, ServerFullError):
                if deps.monotonic() + pause_s > deadline:
                    raise
            deps.sleep(pause_s)
            pause_s = min(2 * pause_s, 4.0)

    return insist


def _unknown_for(taken: Taken) -> timedelta:
    """Return how long Yuno may have known the idempotency key."""
    return timedelta(milliseconds=taken.now_ms - (taken.first_sending_ms or taken.now_ms))


def _delay(number: int, retry_after: timedelta | None, deps: Deps) -> timedelta:
    base, cap = deps.delivery.backoff_base, deps.delivery.backoff_cap
    return delay(number, base=base, cap=cap, random=deps.random, retry_after=retry_after)


def idempotency_key(secret: bytes, taken: Taken) -> str:
    """Return the same UUID (in version-4 form) for the same abandonment, also when it was claimed anew after a loss."""
    text = f"{taken.session.session_id}|{taken.last}".encode()
    return str(uuid.UUID(bytes=hmac.digest(secret, text, sha256)[:16], version=4))
