"""One attempt, from the take to the settlement, on a real state and against a real server."""

import json
import re
from dataclasses import replace

import pytest

from tasks.delivery.attempt import attempt
from tasks.delivery.sending import idempotency_key
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import PERSON, attempt_again, comes_back, deps_of, held_by, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.faulty_server import OK, http
from tests.support.outreaches import abandon, dispatch, sending, sweep, take
from tests.support.passing_time import expire_session, let_reservations_age
from tests.support.states import CONTACT_REF, LEASE_MS, LIMITS, SECRET
from tests.support.stored_state import counters, now_ms, places_of, record, score_of, stored
from winback.simulation.mock_api.contract import check_body
from worker.runtime import State

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def dispatched(state: State, session: str = "s-1") -> str:
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return outreach


def due_in_ms(state: State, outreach: str) -> int:
    return due_ms(state, outreach) - now_ms(state)


def due_ms(state: State, outreach: str) -> int:
    due = score_of(state, state.keys.due(int(outreach[:2])), outreach)
    assert due is not None
    return due


def test_abandoned_session_is_sent_once_and_leaves_nothing_open(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        [(key, body)] = server.requests
    assert UUID4.fullmatch(key)
    assert check_body(body.encode()).breaches == []
    document = json.loads(body)
    assert document["customer"] == JANE
    assert document["session"]["session_id"] == "s-1"
    assert document["engagement"] == {"preferred_channel": "auto", "reason": "user_abandoned_checkout"}
    ended = record(state, outreach)
    assert (ended["state"], ended["attempts"], "body" in ended) == ("sent", "1", False)
    assert places_of(state, outreach) == set()
    assert held_by(state) == outreach
    assert stored(state).contacts == 1
    assert counters(state) == {"sent": 1}


def test_what_a_worker_reports_holds_nothing_personal(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(400, json.dumps({"code": "X", "messages": [JANE["phone_number"]]}).encode())) as (deps, _):
        told = repr(attempt(outreach, deps))
    assert not any(value in told for value in JANE.values())


def test_a_doubled_message_is_dropped(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "sent"
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "dropped", "not_waiting")
        assert len(server.requests) == 1


def test_message_for_an_undispatched_outreach_is_dropped(state: State) -> None:
    outreach = abandon(state)
    with yuno(state, http(500), OK) as (deps, server):
        assert attempt(outreach, deps).outcome == "dropped"
        dispatch(state)
        assert attempt(outreach, deps).outcome == "waiting"
        assert attempt(outreach, deps).outcome == "dropped"
        assert len(server.requests) == 1


def test_a_message_that_names_no_outreach_is_refused(state: State) -> None:
    with pytest.raises(ValueError, match="is not the id of an outreach"):
        attempt("+573001234567", deps_of(state))


def test_same_abandonment_has_the_same_key_when_claimed_again(state: State) -> None:
    dispatched(state)
    first = take(state, stored(state).outreach)
    again = replace(first, outreach="00-0000000000000000", token=9, now_ms=1)
    assert idempotency_key(SECRET, first) == idempotency_key(SECRET, again)
    others = [
        idempotency_key(SECRET, replace(first, last=first.last + 1)),
        idempotency_key(b"another", first),
        idempotency_key(SECRET, replace(first, session=replace(first.session, session_id="s-2"))),
    ]
    assert len({idempotency_key(SECRET, first), *others}) == 4


def test_invalid_optional_field_is_left_out_and_recorded(state: State) -> None:
    happen(state, event(customer={**JANE, "email": "jane@", "language": "Elvish"}), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    [outreach] = dispatch(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "sent"
        assert json.loads(server.requests[0][1])["customer"] == JANE
    assert "(left out: customer.email, customer.language) http_200" in record(state, outreach)["history"]


# Cancelled or not allowed before the fence.


def test_return_before_the_take_prevents_contact(state: State) -> None:
    outreach = dispatched(state)
    comes_back(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "dropped"
        assert server.requests == []
    assert (record(state, outreach)["state"], record(state, outreach)["reason"]) == ("cancelled", "came_back")
    assert held_by(state) == ""


def test_events_that_had_arrived_at_dispatch_are_waited_for(state: State) -> None:
    outreach = abandon(state)
    waiting = state.client.xadd(state.keys.events, {"event": "{}"})
    dispatch(state)
    with yuno(state) as (deps, server):
        began_ms = now_ms(state)
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "postponed", "ingest_behind")
        assert began_ms < due_ms(state, outreach) <= now_ms(state) + 1000
        state.client.xdel(state.keys.events, waiting)
        assert attempt_again(state, outreach, deps).outcome == "sent"
        assert len(server.requests) == 1


def test_attempt_does_not_wait_for_events_after_its_dispatch(state: State) -> None:
    outreach = dispatched(state)
    state.client.xadd(state.keys.events, {"event": "{}"})
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps).outcome == "sent"


@pytest.mark.parametrize("bad", ["12", "not a number"])
def test_impossible_number_is_suppressed(state: State, bad: str) -> None:
    happen(state, event(customer={**JANE, "phone_number": bad}), ago_ms=HOUR_MS)
    assert sweep(state) == 1
    [outreach] = dispatch(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "suppressed", "invalid_contact")
        assert server.requests == []
    assert counters(state) == {"suppressed.invalid_contact": 1}


def test_a_session_that_has_expired_ends_as_expired(state: State) -> None:
    outreach = dispatched(state)
    expire_session(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "expired", "session_gone")
        assert server.requests == []
    state.client.delete(state.keys.session("s-1"))


def test_recently_contacted_person_is_suppressed(state: State) -> None:
    first, second = abandon(state, "s-1"), abandon(state, "s-2")
    dispatch(state)
    with yuno(state) as (deps, server):
        assert attempt(first, deps).outcome == "sent"
        assert attempt(second, deps) == AttemptOutcome(second, "postponed", "person_held")
        let_reservations_age(state, PERSON, LEASE_MS)
        assert attempt_again(state, second, deps) == AttemptOutcome(second, "suppressed", "contacted_recently")
        assert len(server.requests) == 1


def test_held_person_is_contacted_after_the_other_attempt_fails(state: State) -> None:
    first, second = abandon(state, "s-1"), abandon(state, "s-2")
    dispatch(state)
    assert state.people.reserve([PERSON], first, 1, CONTACT_REF, LIMITS) == "reserved"
    with yuno(state) as (deps, server):
        assert attempt(second, deps) == AttemptOutcome(second, "postponed", "person_held")
        assert 0 < due_in_ms(state, second) <= LEASE_MS
        assert state.people.release([PERSON], first, 1)
        assert attempt_again(state, second, deps).outcome == "sent"
        assert len(server.requests) == 1
    assert held_by(state) == second


def test_session_is_contacted_once_however_often_abandoned(state: State) -> None:
    with yuno(state) as (deps, server):
        assert attempt(dispatched(state), deps).outcome == "sent"
        happen(state, event(stage="payment"))
        assert sweep(state, silent_for_ms=0) == 1
        [again] = dispatch(state)
        assert attempt(again, deps) == AttemptOutcome(again, "suppressed", "session_limit")
        assert len(server.requests) == 1


def test_only_one_request_of_a_session_is_in_flight(state: State) -> None:
    first = sending(state)
    comes_back(state)
    assert sweep(state, silent_for_ms=0) == 1
    [second] = dispatch(state)
    with yuno(state) as (deps, server):
        assert attempt(second, deps) == AttemptOutcome(second, "postponed", "session_is_sending")
        assert due_in_ms(state, second) > LEASE_MS - MINUTE_MS
        assert state.outbox.settle(first, "dead") == "dead"
        assert attempt_again(state, second, deps).outcome == "sent"
        assert len(server.requests) == 1


def test_shadow_mode_sends_and_reserves_nothing(state: State) -> None:
    outreach = dispatched(state)
    assert attempt(outreach, deps_of(state)) == AttemptOutcome(outreach, "suppressed", "shadow")
    assert held_by(state) == ""
    assert stored(state).contacts == 0
    assert counters(state) == {"suppressed.shadow": 1}
