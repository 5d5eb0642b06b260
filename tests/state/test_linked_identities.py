"""Marks on people with a phone number and an e-mail address: what counts for both, in any order."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.erasure import Erasure
from state.keys import ANSWER_TTL_MS, LINK_TTL_MS
from state.people import PersonFacts, person_of
from state.person_marks import (
    MOST_LINKED,
    MOST_LINKS,
    MOST_SESSIONS,
    ConsentAnswer,
    MarkingResult,
    Marks,
    PersonMention,
)
from tests.support.dumps import dump
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.redis_clients import emptied
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, ttl_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

PHONE, EMAIL, OTHER = (person_of(one, SECRET) for one in ("+573001234567", "jane@example.com", "+573001234568"))
PHONES = [person_of(f"+57300765{number:04d}", SECRET) for number in range(MOST_LINKED + 2)]
YES, NO = ConsentAnswer(allowed=True, at_ms=2000, source="form"), ConsentAnswer(allowed=False, at_ms=1000)


def link(state: State, one: str = PHONE, other: str = EMAIL, *, at_ms: int = 0, session: str = "s-1") -> MarkingResult:
    at_ms = at_ms or now_ms(state)
    return state.people.send_marks(
        [PersonMention(one, session, at_ms, other), PersonMention(other, session, at_ms, one)], {}
    ).result()


def mark(state: State, person: str, marks: Marks) -> None:
    state.people.send_marks((), {person: marks}).result()


def marks_of(what: str, at_ms: int) -> Marks:
    match what:
        case "bought":
            return Marks(bought_ms=at_ms)
        case "opted_out":
            return Marks(opted_out_ms=at_ms)
        case _:
            return Marks(answers={"call": NO})


def knows(state: State, what: str, person: str) -> bool:
    facts = state.people.person_facts(person)
    return {"bought": facts.bought, "opted_out": facts.opted_out, "refused": "call" in facts.answers}[what]


WHAT = pytest.mark.parametrize("what", ["bought", "opted_out", "refused"])


@WHAT
@pytest.mark.parametrize(("marked", "other"), [(PHONE, EMAIL), (EMAIL, PHONE)])
def test_a_mark_counts_for_the_linked_identity(state: State, what: str, marked: str, other: str) -> None:
    link(state)
    mark(state, marked, marks_of(what, now_ms(state)))
    assert knows(state, what, other)
    assert not knows(state, what, OTHER)


@WHAT
def test_a_mark_goes_one_link_far(state: State, what: str) -> None:
    link(state, PHONE, EMAIL)
    link(state, EMAIL, OTHER)
    mark(state, PHONE, marks_of(what, now_ms(state)))
    assert [knows(state, what, one) for one in (PHONE, EMAIL, OTHER)] == [True, True, False]
    link(state, EMAIL, OTHER)
    assert not knows(state, what, OTHER)


@pytest.mark.parametrize("order", [*permutations(["mark", "link"])])
def test_marks_and_links_may_come_in_any_order(state: State, order: tuple[str, ...]) -> None:
    at_ms = now_ms(state)
    scan_all = Marks(bought_ms=at_ms, opted_out_ms=at_ms, answers={"call": NO, "whatsapp": YES})
    for step in order:
        if step == "link":
            link(state, at_ms=at_ms)
        else:
            mark(state, EMAIL, scan_all)
    facts = state.people.person_facts(PHONE)
    assert (facts.bought, facts.opted_out, facts.answers) == (True, True, {"call": NO, "whatsapp": YES})


EVENTS = (
    ("link", PHONE, EMAIL),
    ("link", OTHER, EMAIL),
    ("mark", PHONE, "bought"),
    ("mark", EMAIL, "opted_out"),
    ("mark", OTHER, "refused"),
    ("mark", EMAIL, "allowed"),
    ("mark", PHONE, "bought earlier"),
)


@settings(deadline=None, max_examples=50)
@given(order=st.permutations(EVENTS), repeated=st.lists(st.sampled_from(EVENTS), max_size=4))
def test_any_order_and_repetition_ends_in_the_same_state(
    valkey: EmbeddedValkey, order: list[tuple[str, str, str]], repeated: list[tuple[str, str, str]]
) -> None:
    at_ms = 1_900_000_000_000
    with emptied(valkey) as state:
        found = _told(state, [*order, *repeated], at_ms)
        state.client.flushall()
        assert found == _told(state, list(EVENTS), at_ms)


def _told(state: State, events: list[tuple[str, str, str]], at_ms: int) -> dict[str, object]:
    said = {
        "bought": Marks(bought_ms=at_ms),
        "bought earlier": Marks(bought_ms=at_ms - HOUR_MS),
        "opted_out": Marks(opted_out_ms=at_ms),
        "refused": Marks(answers={"call": NO, "whatsapp": NO}),
        "allowed": Marks(answers={"call": YES, "whatsapp": YES._replace(at_ms=NO.at_ms)}),
    }
    for kind, one, other in events:
        if kind == "link":
            link(state, one, other, at_ms=at_ms)
        else:
            mark(state, one, said[other])
    return dump(state)


# Answers


ANSWERS = [NO, YES, YES._replace(allowed=False, at_ms=3000)]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_the_latest_answer_counts_in_any_order(state: State, order: tuple[int, ...]) -> None:
    for place in order:
        state.people.answer(PHONE, "call", ANSWERS[place])
    assert state.people.person_facts(PHONE).answers == {"call": ANSWERS[2]}


@pytest.mark.parametrize("no_first", [True, False])
def test_a_refusal_beats_an_approval_of_the_same_time(state: State, *, no_first: bool) -> None:
    no = YES._replace(allowed=False, source="")
    for answer in (no, YES) if no_first else (YES, no):
        state.people.answer(PHONE, "call", answer)
    assert state.people.person_facts(PHONE).answers == {"call": no}


def test_a_refusal_is_kept_until_it_is_taken_back(state: State) -> None:
    key = f"{state.keys.person(PHONE)}consent"
    state.people.answer(PHONE, "whatsapp", YES)
    left = ttl_ms(state, key)
    assert left is not None
    assert ANSWER_TTL_MS - MINUTE_MS < left <= ANSWER_TTL_MS
    state.people.answer(PHONE, "call", NO)
    assert ttl_ms(state, key) is None
    state.people.answer(PHONE, "call", YES)
    assert ttl_ms(state, key) is not None


def test_an_answer_is_read_as_it_was_written() -> None:
    answer = ConsentAnswer(
        allowed=True, at_ms=1_900_000_000_000, given_at="2026-11-30T10:00:00Z", source="checkout, box 2"
    )
    assert ConsentAnswer.read(str(answer)) == answer


# Shared identities


@pytest.mark.parametrize("first", ["links", "mark"])
def test_nothing_is_passed_on_over_a_shared_address(state: State, first: str) -> None:
    if first == "mark":
        mark(state, EMAIL, Marks(bought_ms=now_ms(state)))
    for number in range(MOST_LINKED + 1):
        link(state, PHONES[number], EMAIL, session=f"s-{number}")
    if first == "links":
        mark(state, EMAIL, Marks(bought_ms=now_ms(state)))
    assert not state.people.person_facts(PHONES[MOST_LINKED]).bought
    assert state.people.person_facts(PHONES[0]).bought == (first == "mark")


def test_naming_reports_a_shared_address(state: State) -> None:
    told = [link(state, phone, EMAIL, session=f"s-{number}").shared for number, phone in enumerate(PHONES)]
    assert told == [0] * MOST_LINKED + [1, 1]


def test_shared_address_is_reported(state: State) -> None:
    for number, phone in enumerate(PHONES):
        link(state, phone, EMAIL, session=f"s-{number}")
    assert state.people.person_facts(EMAIL).shared
    assert not state.people.person_facts(PHONES[0]).shared


# What is kept


def test_links_of_long_ago_do_not_count(state: State) -> None:
    long_ago = now_ms(state) - LINK_TTL_MS - DAY_MS
    link(state, PHONE, EMAIL, at_ms=long_ago)
    link(state, OTHER, EMAIL)
    mark(state, EMAIL, Marks(bought_ms=now_ms(state)))
    assert [state.people.person_facts(one).bought for one in (OTHER, PHONE)] == [True, False]


def test_links_and_sessions_are_bounded(state: State) -> None:
    at_ms = now_ms(state)
    for number in range(MOST_LINKS + 2):
        state.people.send_marks([PersonMention(EMAIL, f"s-{number}", at_ms + number, f"{number:064x}")], {}).result()
    assert state.client.zcard(f"{state.keys.person(EMAIL)}links") == MOST_LINKS
    sessions = state.people.person_facts(EMAIL).sessions
    assert (len(sessions), sessions[-1]) == (MOST_SESSIONS, f"s-{MOST_LINKS + 1}")


def test_everything_but_stops_has_a_time_to_live(state: State) -> None:
    link(state)
    mark(state, PHONE, Marks(bought_ms=now_ms(state), answers={"call": YES}))
    for name in ("links", "sessions", "consent"):
        assert ttl_ms(state, f"{state.keys.person(PHONE)}{name}")
    assert ttl_ms(state, f"{state.keys.person(EMAIL)}bought_linked")


# Forgotten


def forget(state: State) -> None:
    Erasure(state.scripts, state.keys, []).block_replays(PHONE)


def test_a_person_forgotten_since_is_not_named_again(state: State) -> None:
    at_ms = now_ms(state) - 1
    forget(state)
    link(state, at_ms=at_ms)
    assert state.people.person_facts(PHONE) == PersonFacts()


def test_of_a_person_forgotten_since_only_refusals_are_kept(state: State) -> None:
    at_ms = now_ms(state) - 1
    forget(state)
    for channel, said in (("call", True), ("whatsapp", False)):
        mark(state, PHONE, Marks(bought_ms=at_ms, answers={channel: ConsentAnswer(allowed=said, at_ms=at_ms)}))  # type: ignore[dict-item]
    assert state.people.person_facts(PHONE) == PersonFacts(
        answers={"whatsapp": ConsentAnswer(allowed=False, at_ms=at_ms)}
    )
