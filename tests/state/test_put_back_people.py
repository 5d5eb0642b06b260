"""After a server's clock was put back: future contacts and erased sessions."""

from state.people import ContactRecord, person_of
from tests.support.durations import MINUTE_MS, SECOND_MS
from tests.support.erasing import erasure, forget, is_tombstone
from tests.support.events import JANE, event, happen
from tests.support.outreaches import taken
from tests.support.partitions import same_partition
from tests.support.passing_time import let_reservations_age
from tests.support.put_back import put_back_hashes_and_sets, step_ms
from tests.support.states import CAP_MS, CONTACT_REF, LEASE_MS, LIMITS, SECRET
from tests.support.stored_state import now_ms, stored
from worker.runtime import State

__all__ = ["step_ms"]  # fixtures
PERSON = "ab" * 32


# What is known of people


def test_contact_in_the_future_counts_from_now(state: State, step_ms: int) -> None:
    outreaches = [taken(state, session) for session in same_partition("s-1", 2)]
    first, second = outreaches
    assert state.people.reserve([PERSON], first.outreach, first.token, CONTACT_REF, LIMITS) == "reserved"
    put_back_hashes_and_sets(state, step_ms)
    assert state.people.reserve([PERSON], second.outreach, second.token, CONTACT_REF, LIMITS) == "held"
    let_reservations_age(state, PERSON, LEASE_MS)
    assert state.people.reserve([PERSON], second.outreach, second.token, CONTACT_REF, LIMITS) == "limited"
    let_reservations_age(state, PERSON, CAP_MS)
    assert state.people.reserve([PERSON], second.outreach, second.token, CONTACT_REF, LIMITS) == "reserved"


def test_policy_sees_a_contact_in_the_future_as_made_now(state: State, step_ms: int) -> None:
    first = taken(state)
    assert state.people.reserve([PERSON], first.outreach, first.token, CONTACT_REF, LIMITS) == "reserved"
    put_back_hashes_and_sets(state, step_ms)
    (found,) = state.people.person_facts(PERSON).contacts
    assert isinstance(found, ContactRecord)
    assert found.at_ms <= now_ms(state)


def test_order_after_a_forgetting_in_the_future_counts(state: State, step_ms: int) -> None:
    person = person_of(JANE["phone_number"], SECRET)
    erasure(state).block_replays(person)
    put_back_hashes_and_sets(state, step_ms)
    assert not state.people.mark_bought(person, now_ms(state) - 3 * MINUTE_MS)
    assert state.people.mark_bought(person, now_ms(state) - SECOND_MS)


def test_session_forgotten_in_the_future_can_begin_again(state: State, step_ms: int) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    forget(state)
    put_back_hashes_and_sets(state, step_ms)
    happen(state, event(customer=JANE), ago_ms=3 * MINUTE_MS)
    assert is_tombstone(state)
    happen(state, event(customer=JANE), ago_ms=SECOND_MS)
    assert stored(state).activity
    assert stored(state).silent_since_ms <= now_ms(state)
