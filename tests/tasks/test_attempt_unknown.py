"""A request whose arrival is unknown isn't repeated, or only with the same key and bytes."""

from collections.abc import Callable
from typing import Any

import pytest

from tasks.delivery.attempt import attempt
from tasks.delivery.settling import LONGEST_UNKNOWN, AttemptOutcome
from tasks.deps import Deps
from tests.support.attempts import SHORT, attempt_again, comes_back, held_by, pays, yuno
from tests.support.faulty_server import OK, http
from tests.support.outreaches import abandon, dispatch
from tests.support.stored_state import counters, now_ms, places_of, record, stored
from tests.support.wire import Behaviour, Wire
from worker.runtime import State


def dispatched(state: State, session: str = "s-1") -> str:
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return outreach


def nothing_is_left(state: State, outreach: str) -> bool:
    """Return whether no dispatch will ever return it."""
    return state.outbox.reap().due_again == 0 and dispatch(state) == [] and not places_of(state, outreach) - {"unknown"}


def lose(wire: Wire) -> None:
    wire.request()


def hang(wire: Wire) -> None:
    wire.request()
    wire.hang()


@pytest.mark.parametrize("behaviour", [http(502), http(504), http(501), lose, hang])
def test_possible_delivery_is_unknown_and_not_repeated(state: State, behaviour: bytes | Behaviour) -> None:
    outreach = dispatched(state)
    with yuno(state, behaviour, timeout=SHORT) as (deps, server):
        assert attempt(outreach, deps).outcome == "unknown"
        assert attempt(outreach, deps).outcome == "dropped"
        assert nothing_is_left(state, outreach)
        assert len(server.requests) == 1
    assert places_of(state, outreach) == {"unknown"}
    assert held_by(state) == outreach
    assert stored(state).contacts == 1


def repeating(state: State, *answers: bytes) -> Any:  # noqa: ANN401 - the context manager as it is
    return yuno(state, *answers, on_unknown="retry", max_attempts=3)


def repetition(state: State, outreach: str, deps: Deps) -> AttemptOutcome:
    """Return the second attempt after a first one with an unknown result."""
    assert attempt(outreach, deps).outcome == "waiting"
    assert held_by(state) == outreach
    return attempt_again(state, outreach, deps)


def test_on_unknown_retry_sends_the_same_bytes_and_key(state: State) -> None:
    outreach = dispatched(state)
    with repeating(state, http(504), OK) as (deps, server):
        assert repetition(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 2, "http_200")
        assert len(server.requests) == 2
        assert len(set(server.requests)) == 1
    assert counters(state) == {"sent": 1}


@pytest.mark.parametrize("answer", [http(400), http(404), http(504)])
def test_ambiguous_outreach_ends_only_sent_or_unknown(state: State, answer: bytes) -> None:
    outreach = dispatched(state)
    with repeating(state, http(504), answer) as (deps, _):
        ended = repetition(state, outreach, deps)
        if ended.outcome == "waiting":
            ended = attempt_again(state, outreach, deps)
        assert ended.outcome == "unknown"
    assert held_by(state) == outreach
    assert nothing_is_left(state, outreach)


def test_failed_repetition_keeps_the_person_and_ends_unknown(state: State) -> None:
    outreach = dispatched(state)
    with repeating(state, http(504), http(500), http(500)) as (deps, server):
        assert repetition(state, outreach, deps).outcome == "waiting"
        assert held_by(state) == outreach
        assert attempt_again(state, outreach, deps).outcome == "unknown"
        assert len(server.requests) == 3
    assert nothing_is_left(state, outreach)


@pytest.mark.parametrize("act", [comes_back, pays])
def test_ambiguous_outreach_is_not_repeated_after_a_return(state: State, act: Callable[[State], None]) -> None:
    outreach = dispatched(state)
    with repeating(state, http(504), OK) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        act(state)
        assert len(server.requests) == 1
    assert record(state, outreach)["state"] == "unknown"
    assert nothing_is_left(state, outreach)


def test_expired_key_is_not_repeated(state: State) -> None:
    outreach = dispatched(state)
    with repeating(state, http(504), http(503, retry_after="86400"), OK) as (deps, server):
        assert repetition(state, outreach, deps).outcome == "waiting"
        a_day_ago = now_ms(state) - LONGEST_UNKNOWN.total_seconds() * 1000
        state.client.hset(state.keys.outreach(outreach), "first_sending", int(a_day_ago))
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "unknown", "key_forgotten")
        assert len(server.requests) == 2
    assert nothing_is_left(state, outreach)


def test_person_stays_reserved_while_our_key_is_in_use(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(409), OK) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        assert held_by(state) == outreach
        assert "ambiguous" in record(state, outreach)
        assert attempt_again(state, outreach, deps).outcome == "sent"
        assert len(server.requests) == 2
