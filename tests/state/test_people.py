"""The facts about a person, and who can contact them."""

import hmac
from hashlib import sha256

import pytest

from state.limit import Limit
from state.people import People, PersonFacts, person_of
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.reserving import FIRST, PERSON, SECOND, let_lease_pass
from tests.support.states import BOUGHT_WINDOW_MS, CAP_MS, CONTACT_REF, LEASE_MS, LIMITS, SECRET
from tests.support.stored_state import now_ms, text_at, ttl_ms
from worker.runtime import State


def reserved_key(state: State) -> str:
    return f"{state.keys.person(PERSON)}reserved"


def test_a_person_is_the_keyed_hash_of_their_number() -> None:
    assert hmac.new(SECRET, b"+573001234567", sha256).hexdigest() == PERSON
    assert person_of("+573001234567", b"another secret") != PERSON
    assert person_of("+573001234568", SECRET) != PERSON


def test_of_an_unknown_person_nothing_is_known(state: State) -> None:
    assert state.people.person_facts(PERSON) == PersonFacts()


def test_a_free_person_is_reserved_for_the_cap_and_a_lease(state: State) -> None:
    before_ms = now_ms(state)
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "reserved"
    facts = state.people.person_facts(PERSON)
    assert (facts.reserved_by, facts.bought, facts.opted_out) == (FIRST, False, False)
    assert before_ms <= facts.reserved_at_ms <= now_ms(state)
    left = ttl_ms(state, reserved_key(state))
    assert left is not None
    assert CAP_MS + LEASE_MS - MINUTE_MS < left <= CAP_MS + LEASE_MS


@pytest.mark.parametrize("token", [3, 4, 10])
def test_the_same_outreach_renews_its_reservation(state: State, token: int) -> None:
    state.people.reserve([PERSON], FIRST, 3, CONTACT_REF, LIMITS)
    let_lease_pass(state)
    state.client.pexpire(reserved_key(state), HOUR_MS)
    assert state.people.reserve([PERSON], FIRST, token, CONTACT_REF, LIMITS) == "reserved"
    assert abs(state.people.person_facts(PERSON).reserved_at_ms - now_ms(state)) < MINUTE_MS
    left = ttl_ms(state, reserved_key(state))
    assert left is not None
    assert left > CAP_MS


@pytest.mark.parametrize(("later", "earlier"), [(2, 1), (10, 9)])
def test_earlier_token_of_the_outreach_has_lost_the_person(state: State, later: int, earlier: int) -> None:
    state.people.reserve([PERSON], FIRST, later, CONTACT_REF, LIMITS)
    assert state.people.reserve([PERSON], FIRST, earlier, CONTACT_REF, LIMITS) == "lost"
    assert not state.people.release([PERSON], FIRST, earlier)
    assert state.people.release([PERSON], FIRST, later)


def test_person_is_held_by_another_outreach_for_a_lease(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "held"
    assert state.people.person_facts(PERSON).reserved_by == FIRST
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "limited"
    assert state.people.person_facts(PERSON).reserved_by == FIRST


def test_after_the_cap_the_person_is_free(state: State) -> None:
    brief = People(state.scripts, state.keys, longest_limit_ms=1, lease_ms=0, bought_window_ms=1)
    assert brief.reserve([PERSON], FIRST, 1, CONTACT_REF, [Limit(1, 1)]) == "reserved"
    left = state.client.pttl(reserved_key(state))
    assert left <= 1
    state.client.delete(reserved_key(state))
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "reserved"


def test_two_people_do_not_stand_in_each_others_way(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    assert state.people.reserve([person_of("+573001234568", SECRET)], SECOND, 1, CONTACT_REF, LIMITS) == "reserved"


def test_buyer_is_not_reserved(state: State) -> None:
    state.people.mark_bought(PERSON, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "bought"
    assert state.people.person_facts(PERSON) == PersonFacts(bought=True)


def test_purchase_between_two_attempts_prevents_a_reservation(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS)
    state.people.mark_bought(PERSON, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 2, CONTACT_REF, LIMITS) == "bought"


def test_opted_out_person_is_never_reserved(state: State) -> None:
    state.people.opt_out(PERSON)
    state.people.opt_out(PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "opted_out"
    assert state.people.person_facts(PERSON) == PersonFacts(opted_out=True)
    assert ttl_ms(state, f"{state.keys.person(PERSON)}opted_out") is None


def test_opting_out_weighs_more_than_buying(state: State) -> None:
    state.people.mark_bought(PERSON, now_ms(state))
    state.people.opt_out(PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "opted_out"


@pytest.mark.parametrize(("outreach", "token"), [(SECOND, 2), (FIRST, 1), (FIRST, 3), (FIRST, 20)])
def test_only_the_attempt_that_holds_the_person_releases_them(state: State, outreach: str, token: int) -> None:
    state.people.reserve([PERSON], FIRST, 2, CONTACT_REF, LIMITS)
    assert not state.people.release([PERSON], outreach, token)
    assert state.people.person_facts(PERSON).reserved_by == FIRST
    assert state.people.release([PERSON], FIRST, 2)
    assert state.people.person_facts(PERSON) == PersonFacts()
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "reserved"


def test_token_that_starts_like_another_releases_no_person(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 12, CONTACT_REF, LIMITS)
    assert not state.people.release([PERSON], FIRST, 1)
    assert state.people.reserve([PERSON], FIRST, 12, CONTACT_REF, LIMITS) == "reserved"


def test_releasing_a_free_person_does_nothing(state: State) -> None:
    assert not state.people.release([PERSON], FIRST, 1)


def test_buyer_is_known_until_the_cooldown_has_passed(state: State) -> None:
    assert state.people.mark_bought(PERSON, now_ms(state) - HOUR_MS)
    left = ttl_ms(state, f"{state.keys.person(PERSON)}bought")
    assert left is not None
    assert BOUGHT_WINDOW_MS - HOUR_MS - MINUTE_MS < left <= BOUGHT_WINDOW_MS - HOUR_MS


@pytest.mark.parametrize("ago_ms", [BOUGHT_WINDOW_MS, BOUGHT_WINDOW_MS + 1, 365 * DAY_MS])
def test_purchase_before_the_window_marks_no_person(state: State, ago_ms: int) -> None:
    assert not state.people.mark_bought(PERSON, now_ms(state) - ago_ms)
    assert state.people.person_facts(PERSON) == PersonFacts()


@pytest.mark.parametrize("ages_ms", [(0, HOUR_MS), (HOUR_MS, 0), (HOUR_MS, HOUR_MS, 0, 0, HOUR_MS)])
def test_the_latest_purchase_counts_in_whatever_order_they_come(state: State, ages_ms: tuple[int, ...]) -> None:
    at_ms = now_ms(state)
    for age_ms in ages_ms:
        state.people.mark_bought(PERSON, at_ms - age_ms)
    assert int(text_at(state, f"{state.keys.person(PERSON)}bought")) == at_ms
    left = ttl_ms(state, f"{state.keys.person(PERSON)}bought")
    assert left is not None
    assert left > BOUGHT_WINDOW_MS - MINUTE_MS


def test_marking_a_buyer_again_changes_nothing(state: State) -> None:
    at_ms = now_ms(state)
    assert state.people.mark_bought(PERSON, at_ms)
    assert not state.people.mark_bought(PERSON, at_ms)
