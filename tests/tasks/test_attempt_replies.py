"""The result of an attempt for each reply."""

import json

import pytest

from state.people import person_of
from state.session_record import STAMP_WIDTH
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import attempt_again, comes_back, held_by, let_a_probe_be_due, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.faulty_server import OK, http
from tests.support.outreaches import abandon, dispatch
from tests.support.states import SECRET
from tests.support.stored_state import counters, now_ms, places_of, record, score_of
from tests.support.wire import Wire
from worker.runtime import State


def dispatched(state: State, session: str = "s-1") -> str:
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return outreach


def due_in_ms(state: State, outreach: str) -> int:
    due = score_of(state, state.keys.due(int(outreach[:2])), outreach)
    assert due is not None
    return due - now_ms(state)


def test_failed_attempt_repeats_the_same_bytes_and_key(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(500), http(500), http(503), OK) as (deps, server):
        for number, status in enumerate(("http_500", "http_500", "http_503"), 1):
            again = attempt(outreach, deps) if number == 1 else attempt_again(state, outreach, deps)
            assert again == AttemptOutcome(outreach, "waiting", "", number, status)
            assert held_by(state) == ""
            assert due_in_ms(state, outreach) <= 5000 * 2 ** (number - 1)
            # Neither can change the request.
            happen(state, event(cart={"total_value": number}), ago_ms=HOUR_MS + MINUTE_MS)
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 4, "http_200")
        assert len(set(server.requests)) == 1
        assert len(server.requests) == 4
    assert counters(state)["sent"] == 1


def test_a_server_that_asks_for_time_gets_it(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(429, retry_after="120")) as (deps, _):
        assert attempt(outreach, deps).outcome == "waiting"
    assert 60_000 < due_in_ms(state, outreach) <= 120_000


def test_last_failed_attempt_is_dead_and_frees_the_person(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(500), max_attempts=2) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "dead", "", 2, "http_500")
        assert len(server.requests) == 2
    assert record(state, outreach)["reason"] == "attempts_used_up"
    assert places_of(state, outreach) == {"dead"}
    assert held_by(state) == ""


def test_refused_request_is_dead_with_code_and_messages(state: State) -> None:
    outreach = dispatched(state)
    refusal = json.dumps({"code": "INVALID_REQUEST", "messages": ["cart:\nbad", "items: bad"]}).encode()
    with yuno(state, http(400, refusal)) as (deps, _):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "dead", "", 1, "http_400.INVALID_REQUEST")
    assert "ms http_400.INVALID_REQUEST cart: bad items: bad\n" in record(state, outreach)["history"]
    assert held_by(state) == ""


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_do_not_use_up_an_attempt(state: State, status: int) -> None:
    outreach = dispatched(state)
    with yuno(state, http(status), http(status), OK, max_attempts=1) as (deps, _):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "waiting", "", 1, f"http_{status}")
        assert due_in_ms(state, outreach) <= 0
        assert record(state, outreach)["attempts"] == "0"
        assert held_by(state) == ""
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "postponed", "sending_stopped")
        for outcome in ("waiting", "sent"):
            let_a_probe_be_due(state)
            assert deps.control.permits(1, in_flight=0).granted == 1
            assert attempt_again(state, outreach, deps).outcome == outcome
        assert record(state, outreach)["attempts"] == "1"


def test_return_during_a_failed_request_prevents_the_retry(state: State) -> None:
    outreach = dispatched(state)

    def fail_late(wire: Wire) -> None:
        wire.request()
        comes_back(state)
        wire.send(http(500))

    with yuno(state, fail_late) as (deps, _):
        assert attempt(outreach, deps).outcome == "cancelled"
    assert held_by(state) == ""
    assert places_of(state, outreach) == set()


def test_repetition_reserves_the_person_its_body_names(state: State) -> None:
    outreach = dispatched(state)
    other = "+573009876543"
    with yuno(state, http(500), OK) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        # A late event that is newer than the one with the number, and older than the last.
        state.client.hset(state.keys.session("s-1"), "phone", "0" * STAMP_WIDTH + other)
        assert attempt_again(state, outreach, deps).outcome == "sent"
        assert JANE["phone_number"] in server.requests[1][1]
    assert held_by(state) == outreach
    assert held_by(state, person_of(other, SECRET)) == ""
