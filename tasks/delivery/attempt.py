"""One attempt to reach one person, step by step. The order of the steps and every guard were model-checked.

    take ▶ caught up? ▶ policy ▶ build body ▶ gate ▶ fence ▶ reserve person ▶ in time? ▶ POST ▶ record
         ▶ (release person) ▶ settle ▶ (return permit)

The gate checks that sending isn't blocked, and that this worker's mode is that of the deployment. An outreach that ends
without a request doesn't reach the gate, so `agreed` checks the mode there. Record reports to all workers whether the
API works.

If a crash, a stall or a second worker comes between two steps, the next step notices that another worker has the
outreach. Otherwise the lease expires, and the outreach ends as `unknown` instead of being sent twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from detectors.lanes import LANES_BY_NAME, milliseconds
from detectors.normalize.identities import identities_of
from detectors.sequence import occurred_ms
from detectors.session_fields import ID
from state.outbox import Taken
from state.people import PersonFacts, merged, person_of
from state.session_record import Session
from tasks.delivery import payload
from tasks.delivery.request import channel_in, contact_in, email_in, phone_in
from tasks.delivery.sending import ANOTHER_MODE, PERSON_TAKEN, Permit, PlannedContact, reserve, send
from tasks.delivery.settling import CATCH_UP, LONGEST_UNKNOWN, AttemptOutcome, unknown_for
from tasks.deps import Deps
from tasks.failpoints import reached
from tasks.policy import consent
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.rules import DELAY, decide
from tasks.policy.situation import Situation

POLL_INTERVAL_S = 0.05
INGEST_BEHIND, COLLECTOR_BEHIND = "ingest_behind", "collector_behind"
UNREADABLE_PAUSE = timedelta(minutes=5)
"""How soon an operator might have added the missing key."""


def attempt(outreach: str, deps: Deps) -> AttemptOutcome:
    """Make one attempt at an outreach and record its result.

    Raises:
        StateError: Redis couldn't be reached. The outreach's lease expires, and it is retried.
    """
    taken = deps.outbox.take(outreach)
    if taken is None:
        # A duplicate message: the permit belongs to the attempt of the first one. Or a message of another namespace
        # with the same queues.
        return AttemptOutcome(outreach, "dropped", "foreign" if deps.control.is_foreign(outreach) else "not_waiting")
    reached("outreach_taken")
    stamped, permit = deps.stamps.taken(), Permit()
    outcome = _attempt(taken, permit, deps)
    if stamped and outcome.reason not in {INGEST_BEHIND, COLLECTOR_BEHIND}:
        deps.stamps.decided()
    if deps.client is not None:
        deps.control.return_permits(taken, requests=int(not permit.request_made), day=permit.day)
    return outcome


def _attempt(taken: Taken, permit: Permit, deps: Deps) -> AttemptOutcome:
    if deps.streams.collector_behind(taken.now_ms):
        # A new dispatch reads a new barrier, behind what the collector delivers.
        deps.outbox.postpone(taken, delay_ms=milliseconds(CATCH_UP), why="")
        return AttemptOutcome(taken.outreach, "postponed", COLLECTOR_BEHIND)
    waited_s = _catch_up(taken, deps)
    if waited_s is None:
        deps.outbox.postpone(taken, delay_ms=milliseconds(CATCH_UP), why="")
        return AttemptOutcome(taken.outreach, "postponed", INGEST_BEHIND)
    if waited_s:
        # Events that were applied in the meantime count: a withdrawn consent, a corrected number.
        taken = replace(taken, session=deps.sessions.read([taken.session.session_id])[0])
    return _decided(taken, permit, deps)


def _decided(taken: Taken, permit: Permit, deps: Deps) -> AttemptOutcome:
    """Carry out the policy's decision."""
    lane = LANES_BY_NAME[taken.lane]
    built = payload.build(
        taken.session.fields,
        session_id=taken.session.fields.get(ID) or taken.session.session_id,
        stage=lane.stage,
        platform=lane.platform,
        abandoned_ms=occurred_ms(taken.last),
        reason=lane.kind.reason(lane.stage),
    )
    people = _people(taken, deps)
    situation = _situation(taken, built, people, deps)
    decision = _unreadable(taken, deps) or decide(situation, deps.contact)
    forgotten = taken.ambiguous and unknown_for(taken) + deps.delivery.lease >= LONGEST_UNKNOWN
    held_out = isinstance(decision, HoldOut) and not taken.attempts and not taken.ambiguous
    to_send = isinstance(decision, Send | HoldOut) and not (forgotten or held_out)
    if (deps.client is None or not to_send) and not deps.control.agreed():
        # A worker in another mode than the deployment decides nothing: the other workers do. Requests pass the gate.
        deps.outbox.postpone(taken, delay_ms=milliseconds(ANOTHER_MODE), why="")
        return AttemptOutcome(taken.outreach, "postponed", "another_mode")
    _assign(taken, decision, situation, people, deps)
    if not isinstance(decision, Send | HoldOut) or isinstance(built, payload.InvalidContact):
        return _not_sending(taken, decision, deps)
    if forgotten:
        state = deps.outbox.end_unsent(taken, "unknown", "key_forgotten")
        return AttemptOutcome(taken.outreach, state or "lost", "key_forgotten")
    if deps.client is None:
        state = deps.outbox.end_unsent(taken, "suppressed", "shadow")
        return AttemptOutcome(taken.outreach, state or "lost", "shadow")
    may, wanted = situation.may_use(deps.contact), situation.channel(deps.contact)
    built = payload.by_channel(built, may, wanted)
    used = situation.repeats or consent.channels_of(built.request.engagement.preferred_channel)
    proof = consent.proof(situation.person.answers, used)
    contact = PlannedContact(taken, people, built, situation.limits(deps.contact), used, proof)
    if held_out:
        return _hold_out(contact, deps)
    return send(contact, deps.client, deps, permit=permit)


def _catch_up(taken: Taken, deps: Deps) -> float | None:
    """Wait until all events before the dispatch are applied; return how long this took (s), or None if they aren't.

    Waits for up to CATCH_UP. Each postponement sets a new barrier, so with a steady short lag, an outreach that was
    postponed at once could be postponed indefinitely.
    """
    waited_s = 0.0
    while not deps.streams.barrier_passed(taken.barrier):
        if waited_s >= CATCH_UP.total_seconds():
            return None
        deps.sleep(POLL_INTERVAL_S)
        waited_s += POLL_INTERVAL_S
    return waited_s


def _unreadable(taken: Taken, deps: Deps) -> Decision | None:
    """Postpone what can't be decrypted, and report it in the status, until the key is back or it is too late."""
    why = taken.unreadable or taken.session.unreadable
    if not why:
        return None
    deps.report("encryption", f"outreach {taken.outreach}: {why}")
    late = taken.now_ms > taken.expires_at_ms
    return Expire("unreadable") if late else Postpone(milliseconds(UNREADABLE_PAUSE), "unreadable")


def _people(taken: Taken, deps: Deps) -> tuple[str, ...]:
    """Return the person that a request reaches (see `state.people.person_of`): the number, then the address."""
    # A repeated request goes to the number in its stored body, even if a late event has corrected it since.
    named = contact_in(taken.body) if taken.body else payload.contact_of(taken.session.fields)
    return tuple(person_of(identity, deps.identity_secret) for identity in identities_of(*named))


def _situation(
    taken: Taken, built: payload.Built | payload.InvalidContact, people: tuple[str, ...], deps: Deps
) -> Situation:
    phone = phone_in(taken.body) if taken.body else payload.phone_of(taken.session.fields)
    # The session can name another person by now than its stored body: the answers of both count.
    now = identities_of(*payload.contact_of(taken.session.fields)) if taken.body else ()
    # An opt-out list exported by an earlier version has hashes of dialled numbers, not of identities.
    dialled = (phone,) if phone else ()
    known = dict.fromkeys((*people, *(person_of(one, deps.identity_secret) for one in (*now, *dialled))))
    person = merged(deps.people.person_facts_of([*known]))
    sent = channel_in(taken.body) if taken.body else ""
    lane = LANES_BY_NAME[taken.lane]
    return Situation(
        now_ms=taken.now_ms,
        outreach=taken.outreach,
        stage=lane.stage,
        kind=lane.kind.name,
        claimed_at_ms=taken.claimed_at_ms,
        last_ms=occurred_ms(taken.last),
        expires_at_ms=taken.expires_at_ms,
        session=taken.session,
        purchased_at_ms=occurred_ms(taken.session.purchase),
        person_id=people[0] if people else "",
        phone=phone or "",
        country=built.request.customer.country_code if isinstance(built, payload.Built) else "",
        person=person,
        elsewhere_ms=_active_elsewhere(taken, person, deps),
        reachable=isinstance(built, payload.Built),
        lease_ms=deps.outbox.lease_ms,
        identities=identities_of(
            phone or "", "", email_in(taken.body) if taken.body else taken.session.fields.get("email", "")
        ),
        arm=deps.experiment.arm_of(people[0], lane.stage, taken.now_ms) if people else None,
        blocked=deps.blocklist.hit(
            name=taken.session.fields.get("name", ""), email=taken.session.fields.get("email", ""), e164=phone or ""
        ),
        repeats=consent.channels_of(sent),
    )


def _active_elsewhere(taken: Taken, person: PersonFacts, deps: Deps) -> int:
    """Return when the person was last active in another session (Unix ms; 0: never).

    A session that was silent before the claim doesn't count: two silent sessions would block each other.
    """
    others = [session for session in person.sessions if session != taken.session.session_id]
    found = deps.sessions.read(others) if others else []
    # A session that is silent again shows a return during the delay. It has an outreach and a delay of its own.
    counted = (one for one in found if one.state == "waiting" or _returned_in(one, taken.claimed_at_ms))
    return max((session.seen_ms for session in counted), default=0)


def _returned_in(session: Session, claimed_at_ms: int) -> bool:
    return session.state not in {"bought", "forgotten", "superseded"} and session.seen_ms > claimed_at_ms


def _assign(taken: Taken, decision: Decision, situation: Situation, people: Sequence[str], deps: Deps) -> None:
    """Assign the outreach to the person's arm at the first decision that no other rule objects to.

    All arms are observed from this moment, whether their people are contacted now, later or not at all.
    """
    allowed = isinstance(decision, Send | HoldOut) or (isinstance(decision, Postpone) and decision.why == DELAY)
    if situation.arm is not None and allowed and not taken.arm and deps.client is not None:
        deps.experiments.assign(taken, people, situation.arm.label)


def _not_sending(taken: Taken, decision: Decision, deps: Deps) -> AttemptOutcome:
    match decision:
        case Postpone(delay_ms, why, until):
            line = f"{why} until {until}" if until else why
            kept = deps.outbox.postpone(taken, delay_ms=delay_ms, why=line)
            return AttemptOutcome(taken.outreach, "postponed" if kept else "lost", why)
        case Suppress(reason):
            state = deps.outbox.end_unsent(taken, "suppressed", reason)
        case Cancel(reason):
            state = deps.outbox.end_unsent(taken, "cancelled", reason)
        case Expire(reason):
            state = deps.outbox.end_unsent(taken, "expired", reason)
        case Send() | HoldOut():
            raise AssertionError("the policy allowed a contact without a valid request")
        case _:
            assert_never(decision)
    return AttemptOutcome(taken.outreach, state or "lost", reason)


def _hold_out(contact: PlannedContact, deps: Deps) -> AttemptOutcome:
    """Record a person of the holdout like a contact: the cap counts from now on, and nothing is sent."""
    taken = contact.taken
    answer = reserve(contact, deps)
    if answer in {"reserved", "not_replicated"}:  # a request that isn't made needs no replica
        state = deps.outbox.end_unsent(taken, "suppressed", "holdout")
        if state is None:
            deps.people.release(contact.people, taken.outreach, taken.token)
        return AttemptOutcome(taken.outreach, state or "lost", "holdout")
    if answer in PERSON_TAKEN:
        return _not_sending(taken, Suppress(PERSON_TAKEN[answer]), deps)
    return _not_sending(taken, Postpone(deps.outbox.lease_ms, f"person_{answer}"), deps)
