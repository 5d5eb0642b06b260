"""A person with several identities."""

from collections.abc import Iterable

import pytest

from state.channels import Channel
from state.people import PersonFacts, merged, person_of
from state.person_marks import MOST_LINKED, ConsentAnswer, Marks, PersonMention
from tests.support.reserving import FIRST, PERSON, SECOND
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State

EMAIL = person_of("jane@example.com", SECRET)
OTHER_PHONE = person_of("+573001234568", SECRET)


def told(state: State, *, named: Iterable[PersonMention] = (), **marks: Marks) -> None:
    state.people.send_marks(named, marks).result()


def link(state: State, one: str, other: str, session: str = "s-1") -> None:
    at_ms = now_ms(state)
    told(state, named=[PersonMention(one, session, at_ms, other), PersonMention(other, session, at_ms, one)])


def share(state: State, person: str = EMAIL) -> list[str]:
    """Let an identity be used with too many others to identify a person; return these."""
    others = [person_of(f"+57300765432{number:02d}", SECRET) for number in range(MOST_LINKED + 1)]
    for number, other in enumerate(others):
        link(state, person, other, f"s-{number}")
    return others


def test_a_person_is_reserved_by_each_identity(state: State) -> None:
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, CONTACT_REF, LIMITS) == "reserved"
    assert [facts.reserved_by for facts in state.people.person_facts_of([PERSON, EMAIL])] == [FIRST, FIRST]
    assert state.people.reserve([OTHER_PHONE, EMAIL], SECOND, 1, CONTACT_REF, LIMITS) == "held"
    assert state.people.release([PERSON, EMAIL], FIRST, 1)
    assert state.people.person_facts_of([PERSON, EMAIL]) == [PersonFacts(), PersonFacts()]


@pytest.mark.parametrize("ambiguous", [False, True])
def test_a_refused_identity_releases_the_others_if_certain(
    state: State,
    ambiguous: bool,  # noqa: FBT001 - a case
) -> None:
    state.people.reserve([EMAIL], SECOND, 1, CONTACT_REF, LIMITS)
    answer = state.people.reserve([PERSON, EMAIL], FIRST, 1, CONTACT_REF, LIMITS, ambiguous=ambiguous)
    assert answer == "held"
    assert state.people.person_facts(PERSON).reserved_by == (FIRST if ambiguous else "")
    assert state.people.person_facts(EMAIL).reserved_by == SECOND


def test_releasing_leaves_what_a_later_claim_holds(state: State) -> None:
    state.people.reserve([PERSON, EMAIL], FIRST, 2, CONTACT_REF, LIMITS)
    assert not state.people.release([PERSON, EMAIL], FIRST, 1)
    assert state.people.person_facts(EMAIL).reserved_by == FIRST


def test_an_order_of_a_linked_identity_stops_it(state: State) -> None:
    link(state, PERSON, EMAIL)
    state.people.mark_bought(EMAIL, now_ms(state))
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "bought"


def test_an_opt_out_of_a_linked_identity_stops_it(state: State) -> None:
    link(state, PERSON, EMAIL)
    state.people.opt_out(PERSON)
    assert state.people.reserve([OTHER_PHONE, EMAIL], FIRST, 1, CONTACT_REF, LIMITS) == "opted_out"


def test_shared_address_reserves_no_person(state: State) -> None:
    share(state)
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, CONTACT_REF, LIMITS) == "reserved"
    assert state.people.reserve([OTHER_PHONE, EMAIL], SECOND, 1, CONTACT_REF, LIMITS) == "reserved"
    assert merged(state.people.person_facts_of([OTHER_PHONE, EMAIL])).reserved_by == SECOND


@pytest.mark.parametrize("linked", [True, False])
def test_its_own_opt_out_counts_for_a_shared_address(state: State, *, linked: bool) -> None:
    others = share(state)
    if linked:
        state.people.opt_out(others[0])
    state.people.opt_out(EMAIL)
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, CONTACT_REF, LIMITS) == "opted_out"
    assert merged(state.people.person_facts_of([PERSON, EMAIL])).opted_out
    assert state.people.person_facts(PERSON).reserved_by == ""


def test_opt_outs_of_others_do_not_count_for_a_shared_address(state: State) -> None:
    others = share(state)
    state.people.opt_out(others[0])
    assert state.people.reserve([PERSON, EMAIL], FIRST, 1, CONTACT_REF, LIMITS) == "reserved"
    assert not merged(state.people.person_facts_of([PERSON, EMAIL])).opted_out


def test_a_number_used_with_many_addresses_is_reserved(state: State) -> None:
    share(state, PERSON)
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS) == "reserved"
    assert state.people.person_facts(PERSON).reserved_by == FIRST
    assert state.people.reserve([PERSON], SECOND, 1, CONTACT_REF, LIMITS) == "held"


# Refusals


@pytest.mark.parametrize("channels", [("call",), ("call", "whatsapp")])
def test_person_who_refused_the_channel_is_not_reserved(state: State, channels: tuple[Channel, ...]) -> None:
    state.people.answer(PERSON, "call", ConsentAnswer(allowed=False, at_ms=now_ms(state)))
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS, channels=channels) == "refused"
    assert state.people.reserve([OTHER_PHONE, PERSON], FIRST, 1, CONTACT_REF, LIMITS, channels=channels) == "refused"
    assert state.people.person_facts(OTHER_PHONE) == PersonFacts()


def test_a_refusal_of_another_channel_does_not_matter(state: State) -> None:
    state.people.answer(PERSON, "call", ConsentAnswer(allowed=False, at_ms=now_ms(state)))
    assert state.people.reserve([PERSON], FIRST, 1, CONTACT_REF, LIMITS, channels=("whatsapp",)) == "reserved"


def test_merged_facts_hold_the_latest_answer_of_all_identities() -> None:
    yes, no = ConsentAnswer(allowed=True, at_ms=2, source="form"), ConsentAnswer(allowed=False, at_ms=1)
    found = merged([PersonFacts(answers={"call": no, "whatsapp": yes}), PersonFacts(answers={"call": yes})])
    assert found.answers == {"call": yes, "whatsapp": yes}
    assert (
        merged([PersonFacts(answers={"call": yes}), PersonFacts(answers={"call": no._replace(at_ms=2)})]).answers[
            "call"
        ]
        != yes
    )
