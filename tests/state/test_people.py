"""What is known of a person, and who may contact them."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

import pytest

from state.channels import Channel
from state.limit import Limit
from state.people import Facts, People, merged, person_of
from state.person_marks import MOST_LINKED, Answer, Marks, Named
from tests.support.helpers import (
    BOUGHT_WINDOW_MS,
    CAP_MS,
    DAY_MS,
    HOUR_MS,
    LEAD,
    LEASE_MS,
    LIMITS,
    MINUTE_MS,
    SECRET,
    let_reservations_age,
    now_ms,
    text_at,
    ttl_ms,
)
from worker.runtime import State

PERSON = person_of("+573001234567", SECRET)
FIRST, SECOND = "07-0123456789abcdef", "48-fedcba9876543210"


def reserved_key(state: State) -> str:
    return f"{state.keys.person(PERSON)}reserved"


def let_lease_pass(state: State, *, ms: int = LEASE_MS, person: str = PERSON) -> None:
    """Make the reservations as old as a lease, or as another time."""
    let_reservations_age(state, person, ms)


def test_a_person_is_the_keyed_hash_of_their_number() -> None:
    assert hmac.new(SECRET, b"+573001234567", sha256).hexdigest() == PERSON
    assert person_of("+573001234567", b"another secret") != PERSON
    assert person_of("+573001234568", SECRET) != PERSON


def test_of_an_unknown_person_nothing_is_known(state: State) -> None:
    assert state.people.facts(PERSON) == Facts()


def test_a_free_person_is_reserved_for_the_cap_and_a_lease(state: State) -> None:
    before_ms = now_ms(state)
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "reserved"
    facts = state.people.facts(PERSON)
    assert (facts.reserved_by, facts.bought, facts.opted_out) == (FIRST, False, False)
    assert before_ms <= facts.reserved_at_ms <= now_ms(state)
    left = ttl_ms(state, reserved_key(state))
    assert left is not None
    assert CAP_MS + LEASE_MS - MINUTE_MS < left <= CAP_MS + LEASE_MS


@pytest.mark.parametrize("claim", [3, 4, 10])
def test_the_same_outreach_renews_its_reservation(state: State, claim: int) -> None:
    state.people.reserve([PERSON], FIRST, 3, LEAD, LIMITS)
    let_lease_pass(state)
    state.client.pexpire(reserved_key(state), HOUR_MS)
    assert state.people.reserve([PERSON], FIRST, claim, LEAD, LIMITS) == "reserved"
    assert abs(state.people.facts(PERSON).reserved_at_ms - now_ms(state)) < MINUTE_MS
    left = ttl_ms(state, reserved_key(state))
    assert left is not None
    assert left > CAP_MS


@pytest.mark.parametrize(("later", "earlier"), [(2, 1), (10, 9)])
def test_an_earlier_claim_of_the_same_outreach_has_lost_the_person(state: State, later: int, earlier: int) -> None:
    state.people.reserve([PERSON], FIRST, later, LEAD, LIMITS)
    assert state.people.reserve([PERSON], FIRST, earlier, LEAD, LIMITS) == "lost"
    assert not state.people.release([PERSON], FIRST, earlier)
    assert state.people.release([PERSON], FIRST, later)


def test_another_outreach_finds_the_person_held_until_a_lease_has_passed(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "held"
    assert state.people.facts(PERSON).reserved_by == FIRST
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "capped"
    assert state.people.facts(PERSON).reserved_by == FIRST


def test_after_the_cap_the_person_is_free(state: State) -> None:
    brief = People(state.scripts, state.keys, cap_ms=1, lease_ms=0, bought_window_ms=1)
    assert brief.reserve([PERSON], FIRST, 1, LEAD, [Limit(1, 1)]) == "reserved"
    left = state.client.pttl(reserved_key(state))
    assert left <= 1
    state.client.delete(reserved_key(state))
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "reserved"


def test_two_people_do_not_stand_in_each_others_way(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    assert state.people.reserve([person_of("+573001234568", SECRET)], SECOND, 1, LEAD, LIMITS) == "reserved"


def test_who_bought_is_not_reserved(state: State) -> None:
    state.people.mark_bought(PERSON, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "bought"
    assert state.people.facts(PERSON) == Facts(bought=True)


def test_who_buys_between_two_attempts_is_not_reserved_again(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    state.people.mark_bought(PERSON, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 2, LEAD, LIMITS) == "bought"


def test_who_opted_out_is_never_reserved(state: State) -> None:
    state.people.opt_out(PERSON)
    state.people.opt_out(PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "opted_out"
    assert state.people.facts(PERSON) == Facts(opted_out=True)
    assert ttl_ms(state, f"{state.keys.person(PERSON)}opted_out") is None


def test_opting_out_weighs_more_than_buying(state: State) -> None:
    state.people.mark_bought(PERSON, now_ms(state))
    state.people.opt_out(PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "opted_out"


@pytest.mark.parametrize(("outreach", "claim"), [(SECOND, 2), (FIRST, 1), (FIRST, 3), (FIRST, 20)])
def test_only_the_attempt_that_holds_the_person_releases_them(state: State, outreach: str, claim: int) -> None:
    state.people.reserve([PERSON], FIRST, 2, LEAD, LIMITS)
    assert not state.people.release([PERSON], outreach, claim)
    assert state.people.facts(PERSON).reserved_by == FIRST
    assert state.people.release([PERSON], FIRST, 2)
    assert state.people.facts(PERSON) == Facts()
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "reserved"


def test_a_claim_that_begins_like_another_releases_nobody(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 12, LEAD, LIMITS)
    assert not state.people.release([PERSON], FIRST, 1)
    assert state.people.reserve([PERSON], FIRST, 12, LEAD, LIMITS) == "reserved"


def test_releasing_a_free_person_does_nothing(state: State) -> None:
    assert not state.people.release([PERSON], FIRST, 1)


def test_a_buyer_is_known_until_the_window_after_the_purchase_has_passed(state: State) -> None:
    assert state.people.mark_bought(PERSON, now_ms(state) - HOUR_MS)
    left = ttl_ms(state, f"{state.keys.person(PERSON)}bought")
    assert left is not None
    assert BOUGHT_WINDOW_MS - HOUR_MS - MINUTE_MS < left <= BOUGHT_WINDOW_MS - HOUR_MS


@pytest.mark.parametrize("ago_ms", [BOUGHT_WINDOW_MS, BOUGHT_WINDOW_MS + 1, 365 * DAY_MS])
def test_a_purchase_before_the_window_marks_nobody(state: State, ago_ms: int) -> None:
    assert not state.people.mark_bought(PERSON, now_ms(state) - ago_ms)
    assert state.people.facts(PERSON) == Facts()


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


# Several identities


EMAIL = person_of("jane@example.com", SECRET)
OTHER_PHONE = person_of("+573001234568", SECRET)


def told(state: State, *, named: Iterable[Named] = (), **marks: Marks) -> None:
    state.people.begin_telling(named, marks)()


def link(state: State, one: str, other: str, session: str = "s-1") -> None:
    at_ms = now_ms(state)
    told(state, named=[Named(one, session, at_ms, other), Named(other, session, at_ms, one)])


def share(state: State, person: str = EMAIL) -> list[str]:
    """Let an identity be used with so many others that it tells nobody apart; return these."""
    others = [person_of(f"+57300765432{number:02d}", SECRET) for number in range(MOST_LINKED + 1)]
    for number, other in enumerate(others):
        link(state, person, other, f"s-{number}")
    return others


def test_a_person_is_reserved_by_each_identity(state: State) -> None:
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, LEAD, LIMITS) == "reserved"
    assert [facts.reserved_by for facts in state.people.facts_of([PERSON, EMAIL])] == [FIRST, FIRST]
    assert state.people.reserve([OTHER_PHONE, EMAIL], SECOND, 1, LEAD, LIMITS) == "held"
    assert state.people.release([PERSON, EMAIL], FIRST, 1)
    assert state.people.facts_of([PERSON, EMAIL]) == [Facts(), Facts()]


@pytest.mark.parametrize("ambiguous", [False, True])
def test_a_refused_identity_releases_the_others_if_certain(
    state: State,
    ambiguous: bool,  # noqa: FBT001 - a case
) -> None:
    state.people.reserve([EMAIL], SECOND, 1, LEAD, LIMITS)
    answer = state.people.reserve([PERSON, EMAIL], FIRST, 1, LEAD, LIMITS, ambiguous=ambiguous)
    assert answer == "held"
    assert state.people.facts(PERSON).reserved_by == (FIRST if ambiguous else "")
    assert state.people.facts(EMAIL).reserved_by == SECOND


def test_releasing_leaves_what_a_later_claim_holds(state: State) -> None:
    state.people.reserve([PERSON, EMAIL], FIRST, 2, LEAD, LIMITS)
    assert not state.people.release([PERSON, EMAIL], FIRST, 1)
    assert state.people.facts(EMAIL).reserved_by == FIRST


def test_an_order_of_a_linked_identity_stops_it(state: State) -> None:
    link(state, PERSON, EMAIL)
    state.people.mark_bought(EMAIL, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "bought"


def test_an_opt_out_of_a_linked_identity_stops_it(state: State) -> None:
    link(state, PERSON, EMAIL)
    state.people.opt_out(PERSON)
    assert state.people.reserve([OTHER_PHONE, EMAIL], FIRST, 1, LEAD, LIMITS) == "opted_out"


def test_a_shared_address_reserves_nobody(state: State) -> None:
    share(state)
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, LEAD, LIMITS) == "reserved"
    assert state.people.reserve([OTHER_PHONE, EMAIL], SECOND, 1, LEAD, LIMITS) == "reserved"
    assert merged(state.people.facts_of([OTHER_PHONE, EMAIL])).reserved_by == SECOND


@pytest.mark.parametrize("linked", [True, False])
def test_its_own_opt_out_counts_for_a_shared_address(state: State, *, linked: bool) -> None:
    others = share(state)
    if linked:
        state.people.opt_out(others[0])
    state.people.opt_out(EMAIL)
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, LEAD, LIMITS) == "opted_out"
    assert merged(state.people.facts_of([PERSON, EMAIL])).opted_out
    assert state.people.facts(PERSON).reserved_by == ""


def test_opt_outs_of_others_do_not_count_for_a_shared_address(state: State) -> None:
    others = share(state)
    state.people.opt_out(others[0])
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, LEAD, LIMITS) == "reserved"
    assert not merged(state.people.facts_of([PERSON, EMAIL])).opted_out


def test_a_number_used_with_many_addresses_is_reserved(state: State) -> None:
    share(state, PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS) == "reserved"
    assert state.people.facts(PERSON).reserved_by == FIRST
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "held"


# Limits


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_contacts_as_a_limit_allows_are_reserved(state: State, count: int) -> None:
    for number in range(count):
        assert state.people.reserve([PERSON], f"07-{number:016x}", 1, LEAD, [Limit(count, CAP_MS)]) == "reserved"
        let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, [Limit(count, CAP_MS)]) == "capped"
    assert len(state.people.facts(PERSON).contacts) == count


def test_each_of_several_limits_holds(state: State) -> None:
    limits = [Limit(3, CAP_MS), Limit(1, HOUR_MS)]
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, limits) == "reserved"
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, limits) == "capped"


def test_a_contact_outside_every_period_does_not_count(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    let_lease_pass(state, ms=HOUR_MS + LEASE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, [Limit(1, HOUR_MS)]) == "reserved"
    assert [held.outreach for held in state.people.facts(PERSON).contacts] == [FIRST, SECOND]


def test_a_contact_counts_for_a_period_and_a_lease(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    let_lease_pass(state, ms=HOUR_MS + LEASE_MS - MINUTE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, [Limit(1, HOUR_MS)]) == "capped"


def test_contacts_of_long_ago_are_not_kept(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    let_lease_pass(state, ms=CAP_MS + LEASE_MS)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, LIMITS) == "reserved"
    assert [held.outreach for held in state.people.facts(PERSON).contacts] == [SECOND]


def test_without_limits_an_attempt_in_flight_is_waited_for(state: State) -> None:
    state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, ()) == "held"
    let_lease_pass(state)
    assert state.people.reserve([PERSON], SECOND, 1, LEAD, ()) == "reserved"


# Refusals


@pytest.mark.parametrize("channels", [("call",), ("call", "whatsapp")])
def test_a_person_who_refused_the_channel_is_not_reserved(state: State, channels: tuple[Channel, ...]) -> None:
    state.people.answer(PERSON, "call", Answer(allowed=False, at_ms=now_ms(state)))
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS, channels=channels) == "refused"
    assert state.people.reserve([OTHER_PHONE, PERSON], FIRST, 1, LEAD, LIMITS, channels=channels) == "refused"
    assert state.people.facts(OTHER_PHONE) == Facts()


def test_a_refusal_of_another_channel_does_not_matter(state: State) -> None:
    state.people.answer(PERSON, "call", Answer(allowed=False, at_ms=now_ms(state)))
    assert state.people.reserve([PERSON], FIRST, 1, LEAD, LIMITS, channels=("whatsapp",)) == "reserved"


def test_merged_facts_hold_the_latest_answer_of_all_identities() -> None:
    yes, no = Answer(allowed=True, at_ms=2, source="form"), Answer(allowed=False, at_ms=1)
    found = merged([Facts(answers={"call": no, "whatsapp": yes}), Facts(answers={"call": yes})])
    assert found.answers == {"call": yes, "whatsapp": yes}
    assert merged([Facts(answers={"call": yes}), Facts(answers={"call": no._replace(at_ms=2)})]).answers["call"] != yes
