"""The way of one session: abandoned, claimed, dispatched, taken and past the fence."""

from collections.abc import Iterable
from typing import Any

from detectors.flow import Stage
from detectors.lanes import LANES
from detectors.session_fields import REQUIRED
from state.claims import SilentLane
from state.outbox import Taken
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.passing_time import let_backoff_pass
from tests.support.stored_state import now_ms, stored
from worker.runtime import State

MAX_AGE_MS = DAY_MS
WAIT_MS = 15 * MINUTE_MS
BODY = '{"customer":{"full_name":"Jane Doe"}}'


def cut_offs(
    before_ms: int, *, wait_ms: int = WAIT_MS, suppress_reason: str = "", lanes: Iterable[str] | None = None
) -> list[SilentLane]:
    """All sessions silent since `before_ms`, in all lanes or in the named ones."""
    return [
        SilentLane(lane.name, before_ms, wait_ms, suppress_reason, lane.kind.measure_from_expiry)
        for lane in LANES
        if lanes is None or lane.name in lanes
    ]


def sweep(state: State, *, silent_for_ms: int = WAIT_MS, max_age_ms: int = MAX_AGE_MS, **cut: Any) -> int:  # noqa: ANN401
    """Claim sessions that have been silent for long enough; return how many became an outreach."""
    # Queries for empty lanes would make fakeredis the slowest part of the tests.
    cut.setdefault("lanes", {key.decode().rpartition(":lane:")[2] for key in state.client.scan_iter("*:lane:*")})
    lanes = cut_offs(now_ms(state) - silent_for_ms, **cut)
    return state.sessions.claim(lanes, max_age_ms=max_age_ms, required=REQUIRED).outreaches


def abandon(state: State, session: str = "s-1", *, stage: Stage = "checkout", ago_ms: int = HOUR_MS) -> str:
    """Let a reachable session fall silent and be claimed; return the outreach."""
    happen(state, event(session=session, stage=stage, customer=JANE), ago_ms=ago_ms)
    assert sweep(state) == 1
    return stored(state, session).outreach


def dispatch(state: State, *, limit: int = 100) -> list[str]:
    return state.outbox.lease_due(limit, now_ms=now_ms(state), barrier=state.streams.barrier())


def taken(state: State, session: str = "s-1") -> Taken:
    """An abandoned session's outreach in a worker's hands."""
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return take(state, outreach)


def take(state: State, outreach: str) -> Taken:
    found = state.outbox.take(outreach)
    assert found is not None
    return found


def fence(state: State, held: Taken) -> str:
    return state.outbox.fence(held, body=BODY, key="key-1").verdict


def sending(state: State, session: str = "s-1") -> Taken:
    """An outreach whose request may be under way."""
    held = taken(state, session)
    assert fence(state, held) == "sending"
    return held


def take_again(state: State, outreach: str) -> Taken:
    """Let the time pass until an outreach is due, and take it."""
    let_backoff_pass(state, outreach)
    assert outreach in dispatch(state)
    return take(state, outreach)
