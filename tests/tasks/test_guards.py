"""Guards of attempts, supersessions and people's data that no other test notices. See test_python_mutants."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from state.errors import ServerUnavailableError
from state.people import person_of
from state.session_record import RANK_SPAN
from state.sessions import Change
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import LONGEST_UNKNOWN, AttemptOutcome
from tasks.policy.decisions import Cancel, Send
from tasks.policy.rules import decide
from tests.support.attempts import attempt_again, held_by, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event
from tests.support.faulty_server import OK, http
from tests.support.ingest_support import Breaking, ingest_of, publish, publish_raw, waiting
from tests.support.outreaches import abandon, dispatch, sweep
from tests.support.policy_attempts import elsewhere, holding
from tests.support.situations import CART_MS, FINE, SETTINGS
from tests.support.states import LEASE_MS, SECRET
from tests.support.stored_state import now_ms, stored
from worker.runtime import State


def dispatched(state: State) -> str:
    outreach = abandon(state)
    assert outreach in dispatch(state)
    return outreach


def test_abandoned_attempt_keeps_a_possibly_contacted_person(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(504), OK, on_unknown="retry") as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
        assert held_by(state) == outreach
        people: Any = Breaking(state.people, "reserve", ServerUnavailableError, times=1, after=True)
        assert attempt_again(state, outreach, replace(deps, people=people)).outcome == "waiting"
        assert held_by(state) == outreach


def test_attempt_starts_while_it_can_end_within_the_lease_only(state: State) -> None:
    outreach = dispatched(state)
    for late_s, outcome in ((-0.1, "sent"), (0.1, "waiting")):
        clock = [0.0]
        with yuno(state) as (deps, server):
            lease_s, timeout_s = deps.delivery.lease.total_seconds(), deps.delivery.timeout.total_seconds()

            class Slow:
                """People whose reservation takes a while."""

                def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever people have
                    if name == "reserve":
                        clock[0] += lease_s - 1.5 * timeout_s + late_s  # noqa: B023 - called within the round
                    return getattr(state.people, name)

            slow: Any = Slow()
            if outcome == "waiting":
                outreach = abandon_another(state)
            ended = attempt(outreach, replace(deps, people=slow, monotonic=lambda: clock[0]))  # noqa: B023 - as above
            assert ended.outcome == outcome
            assert len(server.requests) == (outcome == "sent")


def abandon_another(state: State) -> str:
    state.client.flushall()
    return dispatched(state)


def test_number_corrected_while_ingest_is_waited_for_is_called(state: State) -> None:
    at_ms, ingest = now_ms(state) - HOUR_MS, ingest_of(state)
    for after_ms, made in ((0, event(session="old", customer=JANE)), (2, event(previous_session_id="old"))):
        publish_raw(state, json.dumps(made).encode(), at=f"{at_ms + after_ms}-0")
    ingest.step()
    assert sweep(state) == 1
    outreach = stored(state).outreach
    # It belongs to the earlier session, so the shopper hasn't come back in this one.
    publish(state, event(session="old", customer={"phone_number": "+573009998877"}, occurred_at=(at_ms + 1) / 1000))
    assert outreach in dispatch(state)
    with yuno(state) as (deps, server):
        assert (
            attempt(
                outreach, replace(deps, sleep=lambda _: ingest.run(lambda: waiting(state) == 0, lambda _: None))
            ).outcome
            == "sent"
        )
        ((_, body),) = server.requests
    assert "+573009998877" in body


def test_sign_in_another_session_after_its_last_activity_counts(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state, ago_ms=2 * HOUR_MS)
    elsewhere(state, kind="exit", stage=None)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "cancelled", "active_elsewhere")
        assert server.requests == []


@pytest.mark.parametrize(("later_ms", "decision"), [(-1, Send()), (0, Send()), (1, Cancel("active_elsewhere"))])
def test_another_session_counts_from_a_later_moment_on(later_ms: int, decision: object) -> None:
    assert decide(replace(FINE, last_ms=CART_MS, elsewhere_ms=CART_MS + later_ms), SETTINGS) == decision


@pytest.mark.parametrize(("left_ms", "outcome"), [(LEASE_MS // 2, "unknown"), (LEASE_MS + MINUTE_MS, "sent")])
def test_key_that_can_expire_during_the_attempt_is_not_used(state: State, left_ms: int, outcome: str) -> None:
    outreach = dispatched(state)
    with yuno(state, http(504), OK, on_unknown="retry") as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
        first_ms = now_ms(state) - LONGEST_UNKNOWN.total_seconds() * 1000 + left_ms
        state.client.hset(state.keys.outreach(outreach), "first_sending", int(first_ms))
        assert attempt_again(state, outreach, deps).outcome == outcome


@pytest.mark.parametrize("answer", [http(500), http(504)])
def test_holdout_excludes_an_attempted_person(state: State, answer: bytes) -> None:
    outreach = dispatched(state)
    with yuno(state, answer, OK, on_unknown="retry") as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
        assert attempt_again(state, outreach, holding(deps, held=True)).outcome == "sent"


def test_holdout_excludes_a_possibly_contacted_person(state: State) -> None:
    outreach = dispatched(state)
    state.client.hset(state.keys.outreach(outreach), "ambiguous", "1")
    with yuno(state) as (deps, _):
        assert attempt(outreach, holding(deps, held=True)).outcome == "sent"


def test_opt_out_of_a_corrected_number_stops_a_repetition(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(500), OK) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        sequence = (now_ms(state) - MINUTE_MS) * RANK_SPAN
        state.sessions.apply([Change("s-1", sequence, 0, 0, 0, 0, {"phone": "+573009998877"})])
        state.people.opt_out(person_of("+573009998877", SECRET))
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "suppressed", "opted_out")
        assert len(server.requests) == 1


def test_last_attempt_that_may_have_been_a_contact_is_unknown(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(409), max_attempts=1) as (deps, _):
        assert attempt(outreach, deps).outcome == "unknown"
    assert held_by(state) == outreach


def test_key_is_used_for_a_day() -> None:
    assert timedelta(hours=24) == LONGEST_UNKNOWN
