"""Limits of contacts with a person."""

import pytest

from state.limit import Limit
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.reserving import FIRST, PERSON, SECOND, let_lease_pass
from tests.support.states import CAP_MS, CONTACT_REF, LEASE_MS, LIMITS
from worker.runtime import State


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_contacts_as_a_limit_allows_are_reserved(state: State, count: int) -> None:
    for number in range(count):
        assert state.people.reserve([PERSON], f"07-{number:016x}", 1, CONTACT_REF, [Limit(count, CAP_MS)]) == "reserved"
        let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, [Limit(count, CAP_MS)]) == "limited"
    assert len(state.people.person_facts(PERSON).contacts) == count


def test_each_of_several_limits_holds(state: State) -> None:
    limits = [Limit(3, CAP_MS), Limit(1, HOUR_MS)]
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, limits) == "reserved"
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, limits) == "limited"


def test_a_contact_outside_every_period_does_not_count(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    let_lease_pass(state, ms=HOUR_MS + LEASE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, [Limit(1, HOUR_MS)]) == "reserved"
    assert [held.outreach for held in state.people.person_facts(PERSON).contacts] == [FIRST, SECOND]


def test_a_contact_counts_for_a_period_and_a_lease(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    let_lease_pass(state, ms=HOUR_MS + LEASE_MS - MINUTE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, [Limit(1, HOUR_MS)]) == "limited"


def test_contacts_of_long_ago_are_not_kept(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    let_lease_pass(state, ms=CAP_MS + LEASE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "reserved"
    assert [held.outreach for held in state.people.person_facts(PERSON).contacts] == [SECOND]


def test_without_limits_an_attempt_in_flight_is_waited_for(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, ()) == "held"
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, ()) == "reserved"
