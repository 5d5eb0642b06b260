"""One attempt to reach one person, step by step. The order of the steps and every guard were model-checked.

    take ▶ caught up? ▶ policy ▶ build body ▶ fence ▶ reserve person ▶ in time? ▶ POST ▶ (release person) ▶ settle

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

from detectors.lanes import LANES_BY_NAME, milliseconds
from detectors.sequence import occurred_ms
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.outbox import Taken
from state.people import Facts, person_of
from state.stream import entry_order
from tasks import payload, policy, yuno
from tasks.backoff import delay
from tasks.deps import Deps
from tasks.network import Attempt

P = ParamSpec("P")
R = TypeVar("R")

CATCH_UP = timedelta(seconds=1)
LOOK_AGAIN_S = 0.05
UNREADABLE_PAUSE = timedelta(minutes=5)
"""How soon somebody may have added the key that is missing."""
UNAUTHORISED_PAUSE = timedelta(minutes=1)
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


def attempt(outreach: str, deps: Deps) -> Outcome:
    """Make one attempt at an outreach and record how it went.

    Raises:
        StateError: Redis could not be reached; the outreach's lease runs out and it is taken up again.
    """
    taken = deps.outbox.take(outreach)
    if taken is None:
        return Outcome(outreach, "dropped", "not_waiting")
    waited_s = _catch_up(taken, deps)
    if waited_s is None:
        deps.outbox.postpone(taken, delay_ms=milliseconds(CATCH_UP), why="")
        return Outcome(outreach, "postponed", "ingest_behind")
    if waited_s:
        # What has been applied meanwhile counts: a consent taken back, a corrected number.
        taken = replace(taken, session=deps.sessions.read([taken.session.session_id])[0])

    # A repetition goes to the number that its stored body names, whatever a late event has corrected since.
    phone = payload.phone_in(taken.body) if taken.body else payload.phone_of(taken.session.fields)
    person = person_of(phone, deps.identity_secret) if phone else ""
    lane = LANES_BY_NAME[taken.lane]
    built = payload.build(
        taken.session.fields,
        session_id=taken.session.session_id,
        stage=lane.stage,
        platform=lane.platform,
        abandoned_ms=occurred_ms(taken.last),
        reason=lane.kind.reason(lane.stage),
    )
    unreadable = _unreadable(taken, deps)
    decision = unreadable or policy.decide(_situation(taken, person, built, deps), deps.contact)
    if not isinstance(decision, policy.Send) or isinstance(built, payload.InvalidContact):
        return _not_sending(taken, decision, deps)
    if taken.ambiguous and _unknown_for(taken) + deps.delivery.lease >= LONGEST_UNKNOWN:
        state = deps.outbox.end_unsent(taken, "unknown", "key_forgotten")
        return Outcome(outreach, state or "lost", "key_forgotten")
    if deps.client is None:
        state = deps.outbox.end_unsent(taken, "suppressed", "shadow")
        return Outcome(outreach, state or "lost", "shadow")
    return _send(taken, person, built, deps.client, deps)


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


def _situation(
    taken: Taken, person: str, built: payload.Built | payload.InvalidContact, deps: Deps
) -> policy.Situation:
    return policy.Situation(
        now_ms=taken.now_ms,
        outreach=taken.outreach,
        stage=LANES_BY_NAME[taken.lane].stage,
        expires_at_ms=taken.expires_at_ms,
        session=taken.session,
        purchased_at_ms=occurred_ms(taken.session.purchase),
        person=deps.people.facts(person) if person else Facts(),
        reachable=isinstance(built, payload.Built),
        lease_ms=deps.outbox.lease_ms,
    )


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
        case policy.Send():
            raise AssertionError("policy let a contact pass that no request can be built for")
        case _:
            assert_never(decision)
    return Outcome(taken.outreach, state or "lost", reason)


def _send(taken: Taken, person: str, built: payload.Built, client: yuno.YunoClient, deps: Deps) -> Outcome:
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
    refused = _reserve(taken, person, fenced.attempt, deps)
    if refused is not None:
        return refused

    timeout = deps.delivery.timeout.total_seconds()
    latest_start = started + deps.delivery.lease.total_seconds() - 1.5 * timeout
    limits = Attempt(latest_start, deps.monotonic() + timeout, deps.monotonic)
    reply = client.post(body, key, limits, now=deps.now())
    if isinstance(reply, yuno.TryAgain | yuno.Rejected | yuno.Unauthorised) and not taken.ambiguous:
        _insisting(deps, deps.people.release)(person, taken.outreach, taken.claim)
    return _settle(taken, fenced.attempt, reply, deps, left_out=built.left_out)


def _reserve(taken: Taken, person: str, number: int, deps: Deps) -> Outcome | None:
    """Reserve the person; when that is refused, settle the attempt that was not made."""
    try:
        answer = deps.people.reserve(person, taken.outreach, taken.claim)
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


def _settle(taken: Taken, number: int, reply: yuno.Reply, deps: Deps, *, left_out: tuple[str, ...] = ()) -> Outcome:
    line = f"attempt {number}"
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
            state = settle(taken, "not_sent", reason=why, delay_ms=milliseconds(UNAUTHORISED_PAUSE), line=line)
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
