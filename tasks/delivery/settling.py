"""From the reply to an attempt to the record of its outreach: sent, due for another attempt, dead or unknown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ParamSpec, TypeVar, assert_never

from detectors.lanes import milliseconds
from state.errors import ServerFullError, ServerUnavailableError
from state.outbox import Taken
from state.sending_control import CLOCKS_DIFFER_MS
from tasks.delivery import yuno
from tasks.delivery.backoff import delay
from tasks.deps import Deps

P = ParamSpec("P")
R = TypeVar("R")

CATCH_UP = timedelta(seconds=1)
"""How soon to check again if only a moment is missing."""
LONGEST_UNKNOWN = timedelta(hours=24)
"""How long Yuno replays the answer to a known key; after it, a repeated request would be a second contact."""


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """The result of an attempt: the outreach's state, the reason, and the number of the request (0: none was made)."""

    outreach: str
    outcome: str
    reason: str = ""
    attempt: int = 0
    status: str = ""


def settle(
    taken: Taken,
    number: int,
    reply: yuno.Reply,
    deps: Deps,
    *,
    left_out: tuple[str, ...] = (),
    took_s: float | None = None,
) -> AttemptOutcome:
    """Record the meaning of the reply to attempt `number`, and return the result of the attempt."""
    line = f"attempt {number}" if took_s is None else f"attempt {number} in {took_s * 1000:.0f} ms"
    if left_out:
        line += f" (left out: {', '.join(left_out)})"
    write = retry_while_unavailable(deps, deps.outbox.settle)
    match reply:
        case yuno.Accepted(status):
            why = f"http_{status}"
            state = write(taken, "sent", line=f"{line} {why}")
        case yuno.TryAgain(why, retry_after, counted, maybe):
            wait_ms = milliseconds(_delay(number, retry_after, deps))
            if not counted:
                state = write(taken, "not_sent", reason=why, delay_ms=milliseconds(retry_after or CATCH_UP), line=line)
            elif number >= deps.delivery.max_attempts:
                state = write(taken, "dead", reason="attempts_used_up", line=f"{line} {why}", ambiguous=maybe)
            else:
                state = write(taken, "retry", reason=why, delay_ms=wait_ms, line=line, ambiguous=maybe)
        case yuno.Rejected(why, messages):
            state = write(taken, "dead", reason=why, line=f"{line} {why}", quoted=" ".join(messages))
        case yuno.Undecided(why):
            state = _unknown(taken, number, why, line, deps)
        case yuno.Unauthorised(why):
            state = write(taken, "not_sent", reason=why, line=line)
        case _:
            assert_never(reply)
    return AttemptOutcome(taken.outreach, state or "lost", "", number, why)


def _unknown(taken: Taken, number: int, why: str, line: str, deps: Deps) -> str | None:
    """Park it for an operator, or repeat it with the same key if the settings say that Yuno honours the key."""
    write = retry_while_unavailable(deps, deps.outbox.settle)
    may = deps.delivery.on_unknown == "retry" and unknown_for(taken) < LONGEST_UNKNOWN
    if not may or number >= deps.delivery.max_attempts:
        return write(taken, "unknown", reason=why, line=line, ambiguous=True)
    wait_ms = milliseconds(_delay(number, None, deps))
    return write(taken, "retry", reason=why, delay_ms=wait_ms, line=line, ambiguous=True)


def retry_while_unavailable(deps: Deps, write: Callable[P, R]) -> Callable[P, R]:
    """Return `write` with retries for the length of a lease while the server is down.

    The answer to a request is worth waiting for a server that restarts. The token guards it, so it can't be too late.
    """

    def retrying(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline, pause_s = deps.monotonic() + deps.delivery.lease.total_seconds(), 0.25
        while True:
            try:
                return write(*args, **kwargs)
            except (ServerUnavailableError, ServerFullError):
                if deps.monotonic() + pause_s > deadline:
                    raise
            deps.sleep(pause_s)
            pause_s = min(2 * pause_s, 4.0)

    return retrying


def unknown_for(taken: Taken) -> timedelta:
    """Return how long Yuno might have known the idempotency key.

    A first attempt in the future was made while the clock was ahead, at an unknown time: it counts as too long ago.
    """
    since_ms = taken.now_ms - (taken.first_sending_ms or taken.now_ms)
    return LONGEST_UNKNOWN if since_ms < -CLOCKS_DIFFER_MS else timedelta(milliseconds=max(0, since_ms))


def _delay(number: int, retry_after: timedelta | None, deps: Deps) -> timedelta:
    base, cap = deps.delivery.backoff_base, deps.delivery.backoff_cap
    return delay(number, base=base, cap=cap, random=deps.random, retry_after=retry_after)
