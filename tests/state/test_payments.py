"""Payments in progress: their beginning and their end, and that no request is sent in between."""

from itertools import permutations

import pytest

from state.erasure import Erasure
from state.people import person_of
from state.person_marks import Marks, PaymentNews, PersonMention
from tests.support.dumps import dump
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.reserving import FIRST, PERSON
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms, ttl_ms
from worker.runtime import State

EMAIL = person_of("jane@example.com", SECRET)
WINDOW_MS = DAY_MS


def pay(state: State, *news: PaymentNews, person: str = PERSON) -> None:
    for one in news:
        marks = Marks()
        marks.paying(one, WINDOW_MS)
        state.people.send_marks((), {person: marks}).result()


def link(state: State) -> None:
    at_ms = now_ms(state)
    named = [PersonMention(PERSON, "s-1", at_ms, EMAIL), PersonMention(EMAIL, "s-1", at_ms, PERSON)]
    state.people.send_marks(named, {}).result()


def reserved(state: State, person: str = PERSON) -> str:
    return state.people.reserve([person], FIRST, 1, CONTACT_REF, LIMITS)


def until(state: State, person: str = PERSON) -> int:
    return state.people.person_facts(person).paying_until_ms


def pending(at_ms: int, expires_ms: int = 0) -> PaymentNews:
    return PaymentNews(at_ms, in_progress=True, expires_ms=expires_ms)


def declined(at_ms: int) -> PaymentNews:
    return PaymentNews(at_ms, in_progress=False)


def test_payment_in_progress_prevents_a_reservation(state: State) -> None:
    at_ms = now_ms(state)
    pay(state, pending(at_ms))
    assert reserved(state) == "paying"
    assert until(state) == at_ms + WINDOW_MS


def test_payment_without_expiry_ends_with_the_window(state: State) -> None:
    pay(state, pending(now_ms(state) - WINDOW_MS))
    assert (until(state), reserved(state)) == (0, "reserved")


def test_voucher_holds_until_its_stated_expiry(state: State) -> None:
    at_ms = now_ms(state) - 2 * WINDOW_MS
    pay(state, pending(at_ms, at_ms + 3 * WINDOW_MS))
    assert until(state) == at_ms + 3 * WINDOW_MS


@pytest.mark.parametrize("declined_first", [True, False])
def test_a_declined_payment_holds_nothing(state: State, *, declined_first: bool) -> None:
    at_ms = now_ms(state)
    news = [pending(at_ms - 1), declined(at_ms)]
    pay(state, *(reversed(news) if declined_first else news))
    assert (until(state), reserved(state)) == (0, "reserved")


def test_payment_after_a_declined_one_holds(state: State) -> None:
    at_ms = now_ms(state)
    pay(state, declined(at_ms - 1), pending(at_ms))
    assert reserved(state) == "paying"


@pytest.mark.parametrize("declined_first", [True, False])
def test_of_two_at_one_time_the_payment_in_progress_counts(state: State, *, declined_first: bool) -> None:
    at_ms = now_ms(state)
    news = [pending(at_ms), declined(at_ms)]
    pay(state, *(reversed(news) if declined_first else news))
    assert reserved(state) == "paying"


def test_a_declined_card_ends_no_voucher(state: State) -> None:
    at_ms = now_ms(state)
    pay(state, pending(at_ms - 2, at_ms + HOUR_MS), declined(at_ms))
    assert until(state) == at_ms + HOUR_MS


def test_a_voucher_that_has_expired_ends_a_payment(state: State) -> None:
    at_ms = now_ms(state)
    pay(state, pending(at_ms - 1), pending(at_ms, at_ms - 1))
    assert until(state) == 0


def test_any_sequence_of_payments_ends_the_same(state: State) -> None:
    at_ms = 1_900_000_000_000
    news = [pending(at_ms), declined(at_ms + 1), pending(at_ms + 2), pending(at_ms, at_ms + DAY_MS)]
    found = []
    for some in permutations([*news, news[0]]):
        pay(state, *some)
        found.append(dump(state))
        state.client.flushall()
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("link_first", [True, False])
@pytest.mark.parametrize("expires_in_ms", [0, HOUR_MS])
def test_payment_holds_for_linked_identity(state: State, *, link_first: bool, expires_in_ms: int) -> None:
    at_ms = now_ms(state)
    if link_first:
        link(state)
    pay(state, pending(at_ms, at_ms + expires_in_ms if expires_in_ms else 0), person=EMAIL)
    if not link_first:
        link(state)
    assert until(state) == at_ms + (expires_in_ms or WINDOW_MS)
    assert until(state, EMAIL) == until(state)


def test_payment_of_a_linked_identity_is_kept_apart(state: State) -> None:
    at_ms = now_ms(state)
    link(state)
    pay(state, pending(at_ms), person=EMAIL)
    assert set(state.client.hkeys(f"{state.keys.person(PERSON)}payment")) == {b"linked.latest"}


def test_payment_from_before_an_erasure_is_not_marked(state: State) -> None:
    at_ms = now_ms(state)
    Erasure(state.scripts, state.keys, []).block_replays(PERSON)
    pay(state, pending(at_ms - 1000), pending(at_ms - 1000, at_ms + DAY_MS))
    assert until(state) == 0


def test_erasure_removes_payments(state: State) -> None:
    pay(state, pending(now_ms(state)))
    key = f"{state.keys.person(PERSON)}payment"
    assert state.client.exists(key)
    assert key in Erasure(state.scripts, state.keys, []).split(PERSON).removed


def test_payment_from_the_future_holds_nothing(state: State) -> None:
    pay(state, pending(now_ms(state) + 300 * DAY_MS))
    assert (until(state), reserved(state)) == (0, "reserved")


def test_payments_are_kept_until_they_end(state: State) -> None:
    at_ms = now_ms(state)
    key = f"{state.keys.person(PERSON)}payment"
    pay(state, pending(at_ms, at_ms + 3 * DAY_MS))
    assert ttl_ms(state, key) == pytest.approx(3 * DAY_MS, abs=HOUR_MS)
    pay(state, declined(at_ms))
    assert ttl_ms(state, key) == pytest.approx(3 * DAY_MS, abs=HOUR_MS)
