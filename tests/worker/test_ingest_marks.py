"""The people that an event marks as buyers, or as not to be contacted."""

import pytest

from state.people import PersonFacts, person_of
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, Event, event
from tests.support.ingest_support import (
    facts_of,
    ingest_of,
    publish,
    rejected,
)
from tests.support.outreaches import abandon, sending
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms, record
from worker.runtime import State

PHONE = JANE["phone_number"]


@pytest.mark.parametrize(
    "customer", [{"phone_number": PHONE}, {"phone_number": "300 123 4567", "country_code": "Colombia"}]
)
@pytest.mark.parametrize(
    ("kind", "facts"), [("order_completed", PersonFacts(bought=True)), ("opt_out", PersonFacts(opted_out=True))]
)
def test_event_with_only_a_phone_number_marks_the_person(
    state: State, customer: Event, kind: str, facts: PersonFacts
) -> None:
    publish(state, event(kind, None, stage=None, customer=customer))
    ingest_of(state).step()
    assert facts_of(state, PHONE) == facts
    assert list(state.client.scan_iter("*:session:*")) == []
    assert rejected(state) == []


@pytest.mark.parametrize(
    ("kind", "facts"), [("order_completed", PersonFacts(bought=True)), ("opt_out", PersonFacts(opted_out=True))]
)
def test_event_with_only_a_session_marks_its_person(state: State, kind: str, facts: PersonFacts) -> None:
    publish(state, event(customer={"phone_number": "3001234567", "country_code": "CO"}), event(kind, stage=None))
    ingest_of(state).step()
    assert facts_of(state, PHONE) == facts


def test_person_identified_after_opting_out_is_not_contacted(state: State) -> None:
    ingest = ingest_of(state)
    for made in (event(), event("opt_out", stage=None), event(customer=JANE)):
        publish(state, made)
        ingest.step()
    assert facts_of(state, PHONE) == PersonFacts(opted_out=True)


def test_an_order_counts_from_when_it_was_made(state: State) -> None:
    made_ms = now_ms(state) - HOUR_MS
    publish(state, event("order_completed", customer=JANE, occurred_at=made_ms / 1000))
    ingest_of(state).step()
    key = f"{state.keys.person(person_of(PHONE, SECRET))}bought"
    assert state.scripts.client.get(key) == str(made_ms).encode()


def test_an_order_cancels_what_waits_for_its_session(state: State) -> None:
    outreach = abandon(state)
    publish(state, event("order_completed", stage=None))
    ingest_of(state).step()
    assert record(state, outreach)["reason"] == "paid"


def test_order_of_another_session_prevents_a_reservation(state: State) -> None:
    held = sending(state)
    publish(state, event("order_completed", None, stage=None, customer=JANE))
    ingest_of(state).step()
    assert state.people.reserve([person_of(PHONE, SECRET)], held.outreach, held.token, CONTACT_REF, LIMITS) == "bought"
