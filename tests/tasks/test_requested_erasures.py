"""Erasures that shops' tools requested: everything of the person goes, also what arrives late, and then the request."""

from datetime import UTC, datetime

import pytest

from state.collectors import Collectors, Figures
from state.optouts import OptOuts
from state.people import person_of
from state.privacy_requests import Filing
from state.visitors import Visit
from tasks.erasure.requested import Requested
from tests.support.events import JANE, event
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import abandon
from tests.support.privacy import ask_for_erasure, requests_of
from tests.support.requested_erasures import BY_PHONE, JOHN, PHONE, is_erased, place, report, run, traces, visit
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, stored
from worker.runtime import State


def test_person_is_erased_and_no_other(state: State) -> None:
    visit(state, "s-1")
    visit(state, "john", JOHN)
    request = ask_for_erasure(state, BY_PHONE)
    assert run(state, request) == Requested("done", sessions=1)
    assert is_erased(state, "s-1")
    assert stored(state, "john").fields["name"] == "John Doe"
    assert list(requests_of(state).open()) == []
    assert traces(state) == []


def test_event_in_the_stream_is_erased(state: State) -> None:
    state.streams.first.create_group()
    publish(state, event(session="s-1", customer=JANE), event(session="john", customer=JOHN))
    run(state, ask_for_erasure(state, BY_PHONE))
    assert traces(state) == []
    assert state.client.xlen(state.keys.events) == 1


def test_event_from_before_the_erasure_restores_nothing(state: State) -> None:
    visit(state, "s-1")
    before = datetime.now(UTC).isoformat()
    run(state, ask_for_erasure(state, BY_PHONE))
    publish(state, event(session="s-1", customer=JANE, occurred_at=before))
    while ingest_of(state).step():
        pass
    assert is_erased(state, "s-1")
    assert traces(state) == []


@pytest.mark.parametrize("by", [{"users": ["u-1"]}, {"visitors": ["a-1"]}, {"ids": ["cart-1"]}])
def test_person_is_known_by_ids_of_their_visitor(state: State, by: dict[str, list[str]]) -> None:
    place(state, Visit(now_ms(state), "a-1", "u-1", ids=["cart-1"]))
    visit(state, "cart-1")
    visit(state, "s-2")  # another session of theirs, which only the number connects
    run(state, ask_for_erasure(state, **by))  # type: ignore[arg-type]
    assert is_erased(state, "cart-1")
    assert is_erased(state, "s-2")
    assert traces(state) == []


def test_data_that_waits_for_a_session_is_erased(state: State) -> None:
    waiting = {"phone_number": f'"{PHONE}"', "full_name": '"Jane Doe"'}
    place(state, Visit(now_ms(state), "a-1", "u-1", begins=False, customer=waiting))
    visit(state, "s-1")
    run(state, ask_for_erasure(state, users=["u-1"]))
    assert is_erased(state, "s-1")
    assert traces(state) == []
    assert state.client.keys("*source*") == []


def test_waiting_data_is_found_by_the_number(state: State) -> None:
    waiting = {"phone_number": '"300 123 4567"', "country_code": '"CO"', "full_name": '"Jane Doe"'}
    other = {"phone_number": '"+573001234568"'}
    place(
        state,
        Visit(now_ms(state), "a-1", begins=False, customer=waiting),
        Visit(now_ms(state), "a-2", begins=False, customer=other),
    )
    run(state, ask_for_erasure(state, BY_PHONE))
    assert traces(state) == []
    assert len(state.client.keys("*visitor:*")) == 1


def test_unknown_person_needs_no_erasure(state: State) -> None:
    assert run(state, ask_for_erasure(state, BY_PHONE)).result == "done"
    assert run(state, ask_for_erasure(state, users=["unknown"])).result == "done"
    assert list(requests_of(state).open()) == []


def test_data_request_of_the_person_is_closed(state: State) -> None:
    people = (BY_PHONE, {"phone_number": JOHN["phone_number"]})
    filings = [Filing("data request", "shopify", "shop-a", 1, str(one), [one], []) for one in people]
    _, other = requests_of(state).file(filings)
    assert run(state, ask_for_erasure(state, BY_PHONE)) == Requested("done", data_requests=1)
    assert [one.id for one in requests_of(state).open()] == [other]


def test_opt_out_outlives_the_erasure(state: State) -> None:
    OptOuts(state.scripts, state.keys).add([person_of(PHONE, SECRET)], "shop")
    run(state, ask_for_erasure(state, BY_PHONE))
    assert state.client.exists(f"{state.keys.person(person_of(PHONE, SECRET))}opted_out")


def test_waiting_outreach_is_cancelled(state: State) -> None:
    outreach = abandon(state, "s-1")
    visit(state, "s-2")
    state.client.zadd(state.keys.sessions(person_of(PHONE, SECRET)), {"s-1": now_ms(state)})
    run(state, ask_for_erasure(state, BY_PHONE, {"email": "jane@example.com"}))
    assert not state.client.exists(state.keys.outreach(outreach))


# Events that a collector holds


def test_held_events_are_erased_when_they_arrive(state: State) -> None:
    visit(state, "s-1")
    received_ms = now_ms(state)
    report(state, received_ms - 1)
    request = ask_for_erasure(state, BY_PHONE, received_ms=received_ms, users=["u-1"])
    assert run(state, request).result == "spooled"
    assert is_erased(state, "s-1")
    # The other collector delivers: an unknown session, and data of the visitor.
    place(state, Visit(received_ms - 5, "a-1", "u-1", ids=["late"]))
    visit(state, "late", {"full_name": "Jane Doe"})
    assert run(state, request).result == "spooled"
    assert not is_erased(state, "late")
    report(state, received_ms)
    assert run(state, request).result == "done"
    assert is_erased(state, "late")
    assert list(requests_of(state).open()) == []


def test_collector_that_is_up_to_date_holds_nothing_back(state: State) -> None:
    Collectors(state.scripts, state.keys).sign("mine", now_ms(state), Figures())
    assert run(state, ask_for_erasure(state, BY_PHONE, received_ms=now_ms(state) - 100)).result == "done"
