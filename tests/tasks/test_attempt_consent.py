"""Refusals, opt-outs and proofs of consent, by every identity of the person."""

import json
from dataclasses import replace

import pytest

from state.optouts import OptOuts
from state.people import person_of
from state.person_marks import ConsentAnswer
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import PERSON, attempt_again, held_by, yuno
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, Event, event, happen
from tests.support.faulty_server import http
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import dispatch, sweep
from tests.support.passing_time import let_reservations_age
from tests.support.policy_attempts import dispatched, elsewhere
from tests.support.states import LEASE_MS, SECRET
from tests.support.stored_state import now_ms, record
from worker.runtime import State

MAIL = "jane@example.com"


def published(state: State, *made: Event) -> None:
    publish(state, *made)
    ingest_of(state).step()


def test_a_refusal_of_another_session_stops_it(state: State) -> None:
    outreach = dispatched(state)
    refusal = {"call": False, "whatsapp": False}
    elsewhere(state, ago_ms=2 * HOUR_MS, customer={**JANE, "consent": refusal})
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "suppressed", "no_consent")
        assert server.requests == []


def test_a_channel_refused_in_another_session_is_not_used(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state, ago_ms=2 * HOUR_MS, customer={**JANE, "consent": {"call": False}})
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "sent"
        (request,) = server.requests
    assert json.loads(request[1])["engagement"]["preferred_channel"] == "whatsapp"


def test_a_refusal_just_before_the_reservation_stops_it(state: State) -> None:
    outreach = dispatched(state)

    class Refuses(type(state.people)):  # type: ignore[misc]
        def reserve(self, *args: object, **named: object) -> object:
            self.answer(PERSON, "whatsapp", ConsentAnswer(allowed=False, at_ms=now_ms(state)))
            return super().reserve(*args, **named)

    people = Refuses(state.scripts, state.keys, longest_limit_ms=HOUR_MS, lease_ms=1, bought_window_ms=1)
    with yuno(state) as (deps, server):
        assert attempt(outreach, replace(deps, people=people)) == AttemptOutcome(outreach, "suppressed", "no_consent")
        assert server.requests == []
    assert held_by(state) == ""


def test_a_repeated_request_does_not_use_a_channel_refused_since(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state, http(503)) as (deps, server):
        assert attempt(outreach, deps).outcome == "waiting"
        state.people.answer(PERSON, "call", ConsentAnswer(allowed=False, at_ms=now_ms(state)))
        assert attempt_again(state, outreach, deps).reason == "no_consent"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("country", "phone", "allowed", "outcome"),
    [
        ("CO", "+5511987654321", False, "suppressed"),
        ("BR", "+573001234567", False, "suppressed"),
        ("CO", "+573001234567", False, "sent"),
        ("CO", "+5511987654321", True, "sent"),
    ],
)
def test_the_consent_rules_of_both_countries_hold(
    state: State, *, country: str, phone: str, allowed: bool, outcome: str
) -> None:
    customer: Event = {"country_code": country, "phone_number": phone}
    if allowed:
        customer["consent"] = {"call": True, "whatsapp": True}
    outreach = dispatched(state, customer=customer)
    with yuno(state) as (deps, _):
        found = attempt(outreach, deps)
    assert found.outcome == outcome
    assert found.reason == ("" if outcome == "sent" else "consent_missing")


def test_the_proof_of_consent_stays_with_the_outreach(state: State) -> None:
    consent = {"call": True, "whatsapp": True, "given_at": "2026-11-30T10:00:00Z", "source": "checkout box"}
    at_ms = now_ms(state) - HOUR_MS
    published(state, event(customer={**JANE, "consent": consent}, occurred_at=at_ms / 1000))
    state.client.delete(state.keys.session("s-1"))
    outreach = dispatched(state, customer={"consent": consent})
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps).outcome == "sent"
    proof = json.loads(record(state, outreach)["consent"])
    assert proof["call"] == {"allowed": True, "at_ms": at_ms, "given_at": consent["given_at"], "source": "checkout box"}
    assert set(proof) == {"call", "whatsapp"}
    assert "300" not in record(state, outreach)["consent"]


def test_an_opt_out_under_the_number_as_dialled_still_counts(state: State) -> None:
    number = "+5491143219876"
    outreach = dispatched(state, customer={"phone_number": number, "country_code": "AR"})
    OptOuts(state.scripts, state.keys).add([person_of(number, SECRET)])
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "suppressed", "opted_out")


def test_two_numbers_with_one_address_are_contacted_once(state: State) -> None:
    other = {"phone_number": "+573001234568"}
    for session, customer in (("s-1", JANE), ("s-2", JANE | other)):
        happen(state, event(session=session, customer=customer | {"email": MAIL}), ago_ms=HOUR_MS)
    assert sweep(state) == 2
    first, second = dispatch(state)
    with yuno(state) as (deps, server):
        assert attempt(first, deps).outcome == "sent"
        assert attempt(second, deps) == AttemptOutcome(second, "postponed", "person_held")
        let_reservations_age(state, person_of(MAIL, SECRET), 2 * LEASE_MS)
        assert attempt_again(state, second, deps) == AttemptOutcome(second, "suppressed", "contacted_recently")
        assert len(server.requests) == 1


def test_person_active_elsewhere_by_address_is_not_contacted(state: State) -> None:
    outreach = dispatched(state, customer={"email": MAIL})
    published(state, event(session="s-2", customer={"email": MAIL}))
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "cancelled", "active_elsewhere")


def test_an_attempt_that_surely_failed_frees_each_identity(state: State) -> None:
    outreach = dispatched(state, customer={"email": MAIL})
    with yuno(state, http(400)) as (deps, _):
        assert attempt(outreach, deps).outcome == "dead"
    assert [held_by(state), held_by(state, person_of(MAIL, SECRET))] == ["", ""]
