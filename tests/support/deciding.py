"""Outreaches waiting for an operator's decision."""

from state.decisions import RETRY_UNKNOWN_AFTER_MS, DecisionResult, Operator
from state.outbox import Taken
from tests.support.outreaches import sending
from tests.support.stored_state import now_ms
from worker.runtime import State


def operator(state: State) -> Operator:
    return Operator(state.scripts, state.keys)


def dead(state: State, session: str = "s-1", reason: str = "http_400") -> Taken:
    held = sending(state, session)
    assert state.outbox.settle(held, "dead", reason=reason, line="attempt 1") == "dead"
    return held


def unknown(state: State, session: str = "s-1", *, for_ms: int = RETRY_UNKNOWN_AFTER_MS) -> Taken:
    """Return one that has been unknown for some time."""
    held = sending(state, session)
    assert state.outbox.settle(held, "unknown", reason="read_timeout", line="attempt 1", ambiguous=True) == "unknown"
    ended_ms = now_ms(state) - for_ms
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", ended_ms)
    return held


def said(verdicts: list[DecisionResult]) -> list[tuple[str, str]]:
    return [(verdict.word, verdict.detail) for verdict in verdicts]
