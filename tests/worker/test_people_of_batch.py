"""Ingest: the person of a session from any of its events, and the facts by each identity."""

from typing import Any

import pytest

from detectors.normalize.identities import identities_of
from state import deployment
from state.errors import ServerUnavailableError
from state.people import PersonFacts, merged, person_of
from state.person_marks import MOST_LINKED
from tests.support.durations import MINUTE_MS
from tests.support.events import JANE, Event, event
from tests.support.ingest_support import Breaking, ingest_of, publish, waiting
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.ingest.people import SHARED
from worker.runtime import State

MAIL = "jane@example.com"
BOTH = JANE | {"email": MAIL}


def known(state: State, phone: str = "", email: str = "") -> PersonFacts:
    return merged(state.people.person_facts_of([person_of(one, SECRET) for one in identities_of(phone, "CO", email)]))


def told(state: State, *events: Event, one_by_one: bool = True) -> None:
    ingest = ingest_of(state)
    for batch in [[made] for made in events] if one_by_one else [events]:
        publish(state, *batch)
        ingest.step()


PARTS = ({"phone_number": "300 123 4567"}, {"country_code": "CO"}, {"email": MAIL})


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_person_may_be_named_in_several_events(state: State, order: tuple[int, ...], *, one_by_one: bool) -> None:
    told(state, *(event(customer=PARTS[place]) for place in order), one_by_one=one_by_one)
    assert known(state, phone=JANE["phone_number"]).sessions == ("s-1",)
    assert known(state, email=MAIL).sessions == ("s-1",)


@pytest.mark.parametrize("named_first", [True, False])
@pytest.mark.parametrize("kind", ["order_completed", "opt_out"])
def test_a_stop_by_email_counts_for_the_number(state: State, kind: str, *, named_first: bool) -> None:
    events = [event(customer=BOTH), event(kind, "elsewhere", stage=None, customer={"email": MAIL.upper()})]
    told(state, *(events if named_first else events[::-1]))
    facts = known(state, phone=JANE["phone_number"])
    assert (facts.bought, facts.opted_out) == (kind == "order_completed", kind == "opt_out")


def test_an_order_with_another_number_counts_for_the_address(state: State) -> None:
    other = {"phone_number": "+573009994455", "country_code": "CO", "email": MAIL}
    told(state, event(customer=BOTH), event("order_completed", "s-2", stage=None, customer=other))
    assert known(state, email=MAIL).bought
    assert known(state, phone=JANE["phone_number"]).bought


# Answers


NO = {"call": False, "whatsapp": False}


@pytest.mark.parametrize(
    "events",
    [
        [{**JANE, "consent": NO}],
        [{"consent": NO}, JANE],
        [JANE, {"consent": NO}],
        [{**JANE, "consent": NO}, {"consent": None}],
        [{"consent": {"call": True}}, {**JANE, "consent": NO}],
    ],
)
def test_a_refusal_in_a_session_is_the_persons(state: State, events: list[Event]) -> None:
    told(state, *(event(customer=customer) for customer in events))
    assert {name: answer.allowed for name, answer in known(state, phone=JANE["phone_number"]).answers.items()} == NO


def test_an_explicit_yes_takes_a_refusal_back(state: State) -> None:
    at_ms = now_ms(state) - MINUTE_MS
    yes = {"call": True, "given_at": "2026-11-30T10:00:00Z", "source": "checkout?mail=jane@example.com"}
    told(
        state,
        event(customer={**BOTH, "consent": NO}, occurred_at=at_ms / 1000),
        event(session="s-2", customer={"email": MAIL, "consent": yes}, occurred_at=(at_ms + 1) / 1000),
    )
    answers = known(state, phone=JANE["phone_number"]).answers
    assert (answers["call"].allowed, answers["whatsapp"].allowed) == (True, False)
    assert (answers["call"].given_at, answers["call"].source) == ("2026-11-30T10:00:00Z", "checkout")


def test_an_older_yes_that_arrives_late_changes_nothing(state: State) -> None:
    at_ms = now_ms(state) - MINUTE_MS
    told(
        state,
        event(customer={**JANE, "consent": NO}, occurred_at=at_ms / 1000),
        event(session="s-2", customer={**JANE, "consent": {"call": True}}, occurred_at=(at_ms - 1) / 1000),
    )
    assert not known(state, phone=JANE["phone_number"]).answers["call"].allowed


# Partial failures, and minimal work


@pytest.mark.parametrize("after", [True, False])
def test_failed_mark_is_repeated(state: State, *, after: bool) -> None:
    publish(state, event(customer={**BOTH, "consent": NO}), event("order_completed", stage=None))
    failing: Any = Breaking(state.people, "send_marks", ServerUnavailableError, times=1, after=after, waited=True)
    ingest = ingest_of(state, people=failing)
    with pytest.raises(ServerUnavailableError):
        ingest.step()
    assert waiting(state) == 2
    ingest.step()
    assert waiting(state) == 0
    facts = known(state, email=MAIL)
    assert (facts.bought, facts.sessions, facts.answers["call"].allowed) == (True, ("s-1",), False)


def test_a_person_is_noted_once_however_often_named(state: State) -> None:
    ingest = ingest_of(state)
    publish(state, event(session="earlier", customer=BOTH))
    ingest.step()
    calls: list[int] = []
    begin = ingest._applier._sessions.send
    ingest._applier._sessions = Asking(begin, calls)  # type: ignore[assignment]
    for stage in ("cart_review", "checkout", "payment"):
        publish(state, event(stage=stage, customer=BOTH))
        ingest.step()
    publish(state, event(customer=BOTH | {"email": "other@example.com"}))
    ingest.step()
    assert calls == [1, 0, 0, 1]


class Asking:
    """Counts the changes that request the session's person."""

    def __init__(self, begin: Any, calls: list[int]) -> None:  # noqa: ANN401 - a method
        self._begin, self._calls = begin, calls

    def send(self, changes: Any, also: Any = ()) -> Any:  # noqa: ANN401 - as the real one
        self._calls.append(sum(change.wants_mark for change in changes))
        return self._begin(changes, also)


def test_a_shared_address_is_reported(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[tuple[str, str]] = []
    monkeypatch.setattr(deployment, "report", lambda _scripts, _keys, about, text: reported.append((about, text)))
    ingest = ingest_of(state)
    for number in range(MOST_LINKED + 1):
        customer = {"phone_number": f"+57300123{number:04d}", "country_code": "CO", "email": "guest@shop.com"}
        publish(state, event(session=f"s-{number}", customer=customer))
    ingest.step()
    assert reported == [("shared_identity", SHARED)]
    assert not known(state, phone="+573001230000").shared
