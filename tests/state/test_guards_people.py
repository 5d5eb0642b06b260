"""Guards of people's data that no other test notices. See test_python_mutants and test_mutants."""

from dataclasses import replace
from typing import Any

import pytest

from state.channels import Channel
from state.people import ContactRef, People, PersonFacts, merged, person_of
from state.person_marks import MOST_LINKS, MOST_SESSIONS, ConsentAnswer, PersonMention
from state.script import Call, Reply
from state.scripts import Confirmed, Scripts
from tasks.policy import consent
from tests.support.attempts import PERSON
from tests.support.durations import HOUR_MS
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, texts
from worker.runtime import State


@pytest.mark.parametrize("order", [(1, 0), (0, 1)])
def test_first_opt_out_counts_in_any_order(state: State, order: tuple[int, int]) -> None:
    first_ms = now_ms(state) - HOUR_MS
    for later in order:
        state.people.opt_out(PERSON, first_ms + later)
    assert texts(state, f"{state.keys.person(PERSON)}opted_out") == {"shop": str(first_ms)}


def test_shared_address_counts_only_its_own_opt_out() -> None:
    shared = PersonFacts(
        bought=True, answers={"call": ConsentAnswer(allowed=False, at_ms=1)}, sessions=("s",), shared=True
    )
    assert merged([PersonFacts(), shared]) == PersonFacts()
    assert merged([PersonFacts(), replace(shared, opted_out=True)]).opted_out


def test_each_identity_must_be_replicated(real_state: State) -> None:
    state = real_state
    confirmed = iter([False, True])

    class Half(Scripts):
        """Scripts whose first write reaches too few replicas."""

        def run_confirmed(self, call: Call[Reply]) -> Confirmed[Reply]:
            return Confirmed(self.run(call), next(confirmed))

    people = People(Half(state.client), state.keys, longest_limit_ms=1, lease_ms=1, bought_window_ms=1)
    lead = ContactRef("", HOUR_MS, now_ms(state))
    assert people.reserve([PERSON, "b" * 64], "07-0123456789abcdef", 1, lead, ()) == "not_replicated"


@pytest.mark.parametrize(("said", "may"), [(False, {"whatsapp"}), (True, {"call", "whatsapp"})])
def test_answer_of_the_person_counts_before_that_of_the_session(*, said: bool, may: set[str]) -> None:
    fields = {"consent.call": str(not said).lower()}
    answers: dict[Channel, ConsentAnswer] = {"call": ConsentAnswer(allowed=said, at_ms=1)}
    assert consent.allowed(fields, answers, must_be_given=False) == may


@pytest.mark.parametrize(("kind", "most"), [("sessions", MOST_SESSIONS), ("links", MOST_LINKS)])
def test_person_keeps_exactly_the_latest_of_what_is_noted(state: State, kind: str, most: int) -> None:
    began_ms = now_ms(state) - HOUR_MS
    others = [person_of(f"+5730000{number:05d}", SECRET) for number in range(most + 1)]
    for number, other in enumerate(others):
        named = PersonMention(PERSON, f"s-{number}" if kind == "sessions" else "s-1", began_ms + number, other)
        state.people.send_marks([named], {}).result()
    key = state.keys.sessions(PERSON) if kind == "sessions" else state.keys.links(PERSON)
    found: Any = state.client.zrange(key, 0, -1)
    kept = [member.decode() for member in found]
    assert kept == ([f"s-{number}" for number in range(1, most + 1)] if kind == "sessions" else others[1:])


def test_contact_of_a_person_forgotten_since_is_not_remembered(state: State) -> None:
    lead = ContactRef("COP 1", HOUR_MS, now_ms(state))
    state.client.set(f"{state.keys.person(PERSON)}forgotten", lead.taken_ms, px=HOUR_MS)
    assert state.people.reserve([PERSON], "07-0123456789abcdef", 1, lead, ()) == "reserved"
    assert texts(state, state.keys.contacts(PERSON)) == {}
    later = lead._replace(taken_ms=lead.taken_ms + 1)
    assert state.people.reserve([PERSON], "07-0123456789abcdef", 2, later, ()) == "reserved"
    assert len(texts(state, state.keys.contacts(PERSON))) == 1
