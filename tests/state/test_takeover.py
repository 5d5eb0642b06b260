"""`previous_session_id`: a session supersedes an earlier one and gets its data, and the earlier one isn't contacted."""

from itertools import permutations

import pytest

from state.people import PersonFacts, person_of
from state.session_record import Session
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, event, happen
from tests.support.ingest_support import facts_of, ingest_of, publish, rejected, waiting
from tests.support.outreaches import abandon, sending, sweep
from tests.support.states import SECRET
from tests.support.stored_state import counters, lanes_of, now_ms, record, stored, ttl_ms
from worker.runtime import State

CART = {"total_value": 3.0, "currency": "COP", "items": [{"name": "A"}]}


def ingest(state: State, *events: Event) -> None:
    publish(state, *events)
    ingest_of(state).step()
    assert waiting(state) == 0
    assert rejected(state) == []


def moved(**fields: object) -> Event:
    return event(session="new", previous_session_id="old", **fields)  # type: ignore[arg-type]


def test_the_new_session_knows_what_the_old_one_did(state: State) -> None:
    before_s = now_ms(state) / 1000 - 1
    ingest(
        state,
        event(session="old", customer=JANE, cart=CART, engagement={"metadata": {"utm": "x"}}, occurred_at=before_s),
    )
    ingest(state, moved(customer={"full_name": "Jane D."}))
    new = stored(state, "new")
    assert new.fields["name"] == "Jane D."
    assert new.fields["phone"] == JANE["phone_number"]
    assert new.fields["cart"]
    assert new.fields["meta.utm"] == '"x"'


def test_the_old_session_waits_for_nothing_any_more(state: State) -> None:
    ingest(state, event(session="old", customer=JANE), moved())
    assert stored(state, "old").state == "superseded"
    assert lanes_of(state, "old") == {}
    assert list(lanes_of(state, "new")) == ["checkout.web.idle"]
    assert ttl_ms(state, state.keys.session("old")) is not None


@pytest.mark.parametrize("is_sending", [False, True])
def test_takeover_cancels_the_old_outreach_unless_it_is_sending(
    state: State,
    is_sending: bool,  # noqa: FBT001 - a case
) -> None:
    outreach = sending(state, "old").outreach if is_sending else abandon(state, "old")
    ingest(state, moved())
    expected = {"state": "sending"} if is_sending else {"state": "cancelled", "reason": "superseded"}
    assert expected.items() <= record(state, outreach).items()
    assert stored(state, "old").state == "superseded"
    assert sweep(state) == 0


def test_contacts_of_the_old_session_count_for_the_new_one(state: State) -> None:
    ingest(state, event(session="old", customer=JANE))
    state.client.hset(state.keys.session("old"), "contacts", 2)
    ingest(state, moved())
    ingest(state, moved())
    state.client.hincrby(state.keys.session("new"), "contacts", 1)
    assert stored(state, "new").contacts == 3


def summary(session: Session) -> tuple[object, ...]:
    return session.state, session.activity, dict(session.fields), session.contacts


def test_the_order_of_the_events_does_not_matter(state: State) -> None:
    now = now_ms(state)
    made = [
        event(session="old", customer=JANE, occurred_at=(now - 3 * MINUTE_MS) / 1000),
        event(session="old", stage="payment", cart=CART, occurred_at=(now - 2 * MINUTE_MS) / 1000),
        moved(occurred_at=(now - MINUTE_MS) / 1000, customer={"full_name": "Jane D."}),
        event(session="new", occurred_at=now / 1000),
    ]
    results = []
    for order in permutations(range(4)):
        state.client.flushall()
        state.streams.first.create_group()
        for place in order:
            ingest(state, made[place])
        results.append((summary(stored(state, "old")), summary(stored(state, "new"))))
    assert all(result == results[0] for result in results)
    old, new = results[0]
    assert old[0] == "superseded"
    assert new[0] == "waiting"


def test_newer_activity_of_the_old_session_is_its_own(state: State) -> None:
    ingest(state, event(session="old", customer=JANE), moved())
    happen(state, event(session="old", stage="payment"))
    assert stored(state, "old").state == "waiting"
    assert list(lanes_of(state, "old")) == ["payment.web.idle"]


def test_takeover_before_the_last_activity_changes_nothing(state: State) -> None:
    ingest(state, event(session="old", customer=JANE), moved(occurred_at=(now_ms(state) - HOUR_MS) / 1000))
    assert stored(state, "old").state == "waiting"
    assert stored(state, "new").fields["phone"] == JANE["phone_number"]


def test_a_session_that_bought_stays_bought(state: State) -> None:
    ingest(state, event(session="old"), event("order_completed", "old", stage=None), moved())
    assert stored(state, "old").state == "bought"


def test_order_in_the_old_session_marks_it_and_the_person(state: State) -> None:
    ingest(state, event(session="old", customer=JANE), moved(), event("order_completed", "old", stage=None))
    assert stored(state, "old").state == "bought"
    assert facts_of(state, JANE["phone_number"]) == PersonFacts(bought=True)


def test_order_in_the_old_session_marks_the_later_person(state: State) -> None:
    ingest(state, event(session="old"), moved(customer=JANE), event("order_completed", "old", stage=None))
    assert facts_of(state, JANE["phone_number"]).bought


def test_person_named_after_an_old_order_is_marked(state: State) -> None:
    ingest(state, event(session="old"), event("order_completed", "old", stage=None), moved())
    ingest(state, event(session="new", customer=JANE))
    assert facts_of(state, JANE["phone_number"]).bought


def test_contact_in_flight_counts_for_the_new_session(state: State) -> None:
    sending(state, "old")
    ingest(state, moved())
    assert stored(state, "new").contacts == 1


@pytest.mark.parametrize("kind", ["exit", "payment_declined", "payment_pending"])
def test_a_takeover_from_nowhere_is_left_out_and_named(state: State, kind: str) -> None:
    publish(state, event(session="old"), event(kind, "new", stage=None, previous_session_id="old"))
    ingest_of(state).step()
    assert stored(state, "old").state == "waiting"
    assert [field for field, _, _ in rejected(state)] == ["previous_session_id"]


def test_opt_out_of_the_old_session_holds_for_the_new_one(state: State) -> None:
    ingest(state, event("opt_out", "old", stage=None), event(session="old", stage="payment"))
    ingest(state, moved(), event(session="new", customer=JANE))
    assert facts_of(state, JANE["phone_number"]) == PersonFacts(opted_out=True)


def test_a_chain_of_sessions_hands_on_to_the_last(state: State) -> None:
    ingest(state, event(session="b", previous_session_id="a"), event(session="c", previous_session_id="b"))
    ingest(state, event(session="a", customer=JANE, occurred_at=(now_ms(state) - HOUR_MS) / 1000))
    assert stored(state, "c").fields["phone"] == JANE["phone_number"]
    assert [stored(state, name).state for name in "abc"] == ["superseded", "superseded", "waiting"]


@pytest.mark.parametrize("names", [("a", "a"), ("a", "b")])
def test_sessions_that_take_over_each_other_come_to_an_end(state: State, names: tuple[str, str]) -> None:
    one, other = names
    at_s = now_ms(state) / 1000 - 60
    for later in range(2):
        ingest(state, event(session=one, previous_session_id=other, occurred_at=at_s + 2 * later))
        ingest(state, event(session=other, previous_session_id=one, occurred_at=at_s + 2 * later + 1))
    assert stored(state, other).state == "waiting"


def test_unknown_session_can_be_superseded(state: State) -> None:
    ingest(state, moved(customer=JANE))
    assert stored(state, "new").state == "waiting"
    assert ttl_ms(state, state.keys.session("old")) is not None
    assert counters(state) == {}


def test_new_session_belongs_to_the_person_of_the_old_one(state: State) -> None:
    ingest(state, event(session="old", customer=JANE), moved())
    assert {"old", "new"} == set(sessions_of(state))


def sessions_of(state: State) -> tuple[str, ...]:
    return state.people.person_facts(person_of(JANE["phone_number"], SECRET)).sessions
