"""How many outreaches may be dispatched: the rate and the day's contacts, for all workers together."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.sending_control import Passed
from tests.support.controlling import (
    ATTEMPT_MS,
    TEN_A_SECOND_US,
    control,
    granted,
    held,
    let_pass,
    passes,
    places,
    sending,
)
from tests.support.helpers import DAY_MS, SECOND_MS, eventually, now_ms, ttl_ms
from tests.support.redis_clients import emptied
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

SLOW_US = 3_600_000_000
"""So slow that nothing comes back while a test runs."""


def test_without_a_rate_as_many_as_are_wanted_may_go(state: State) -> None:
    assert granted(control(state), 1_000_000) == 1_000_000
    assert granted(control(state), 0) == 0


def test_as_many_as_the_burst_go_at_once_and_then_no_more(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert [granted(by, 3), granted(by, 3), granted(by, 3)] == [3, 1, 0]


def test_permits_come_back_with_time_and_never_more_than_the_burst(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert granted(by) == 4
    let_pass(state, SLOW_US // 1000 * 2)
    assert granted(by) == 2
    let_pass(state, SLOW_US // 1000 * 200)
    assert granted(by) == 4


def test_two_dispatchers_share_one_rate(state: State) -> None:
    one, other = (control(state, rate_us=SLOW_US, burst=5) for _ in range(2))
    assert [granted(one, 3), granted(other, 3)] == [3, 2]


def test_a_permit_that_was_not_used_is_there_at_once(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert granted(by) == 4
    by.give_back(held(), requests=1)
    by.not_leased(2)
    assert granted(by) == 3


def test_permits_that_are_returned_late_do_not_pile_up(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert granted(by) == 4
    let_pass(state, SLOW_US // 1000 * 4)
    by.not_leased(4)
    assert granted(by) == 4


def test_a_request_that_was_made_keeps_its_permit(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=1)
    assert granted(by) == 1
    by.give_back(held(), requests=0, day="1")
    assert granted(by) == 0


def test_a_clock_that_was_put_back_or_a_faster_rate_does_not_stop_sending_for_long(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert granted(by) == 4
    let_pass(state, -DAY_MS)
    assert granted(by) == 0
    let_pass(state, SLOW_US // 1000)
    assert granted(by) == 1
    faster = control(state, rate_us=1000, burst=4)
    eventually(lambda: granted(faster) > 0)


# The contacts of a day


def test_no_more_are_contacted_in_a_day_than_may_be(state: State) -> None:
    by = control(state, per_day=2)
    assert passes(by, 1).day == passes(by, 2).day == str(now_ms(state) // DAY_MS)
    assert by.gate(held(3)) == "full"
    assert granted(by) == 0
    assert by.permits(1, in_hand=0).going == "full"


def test_what_is_in_hand_may_still_need_its_place(state: State) -> None:
    by = control(state, per_day=5)
    passes(by, 1)
    assert granted(by, in_hand=1) == 3
    assert granted(by, in_hand=4) == 0
    assert granted(by, in_hand=400) == 0


def test_an_outreach_that_is_tried_again_has_its_place_already(state: State) -> None:
    by = control(state, per_day=1)
    passes(by, 1)
    assert passes(by, 1, claim=2).day
    assert by.gate(held(2)) == "full"


def test_a_place_is_given_back_when_nobody_was_contacted(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1).day
    by.give_back(held(1), requests=0, day=day)
    assert places(state) == {}
    assert granted(by) == 1


def test_an_earlier_claim_takes_no_place_back(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1, claim=9).day
    passes(by, 1, claim=10)
    passes(by, 1, claim=9)
    by.give_back(held(1, claim=9), requests=0, day=day)
    assert places(state) == {held(1).outreach: "10"}


def test_the_contacts_of_another_day_are_another_days(state: State) -> None:
    by = control(state, per_day=1)
    passes(by, 1)
    today = now_ms(state) // DAY_MS
    state.client.rename(f"{state.keys.control}contacts:{today}", f"{state.keys.control}contacts:{today - 1}")
    assert granted(by) == 1
    passes(by, 2)
    by.give_back(held(1), requests=0, day=str(today - 1))
    assert [places(state, days_ago=ago) for ago in (0, 1)] == [{held(2).outreach: "1"}, {}]


def test_the_contacts_of_a_day_are_forgotten_the_day_after_the_next(state: State) -> None:
    by = control(state, per_day=5)
    for number in range(3):
        passes(by, number)
    left = ttl_ms(state, f"{state.keys.control}contacts:{now_ms(state) // DAY_MS}")
    assert left is not None
    assert DAY_MS < left <= 2 * DAY_MS


def test_without_a_bound_nobody_is_counted(state: State) -> None:
    assert passes(control(state), 1).day == ""
    assert places(state) == {}


def test_it_is_news_once_when_the_day_is_used_up_and_once_when_it_is_not_any_more(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1).day
    found = [by.permits(1, in_hand=0) for _ in range(2)]
    assert [(permits.going, permits.news) for permits in found] == [("full", True), ("full", False)]
    assert sending(state).going == "full"
    by.give_back(held(1), requests=0, day=day)
    found = [by.permits(1, in_hand=0) for _ in range(2)]
    assert [(permits.going, permits.news) for permits in found] == [("on", True), ("on", False)]


# For any sequence


def micros(state: State) -> int:
    seconds, rest = state.client.time()
    return int(seconds) * 1_000_000 + int(rest)


DISPATCHES = st.tuples(st.sampled_from(["dispatch"]), st.integers(0, 30))
RETURNS = st.tuples(st.sampled_from(["return"]), st.integers(0, 30))
WAITS = st.tuples(st.sampled_from(["wait"]), st.integers(0, 3 * SECOND_MS))


@given(steps=st.lists(DISPATCHES | RETURNS | WAITS, max_size=40), burst=st.integers(1, 12))
def test_for_any_dispatches_and_returns_requests_stay_below_the_rate(
    valkey: EmbeddedValkey, steps: list[tuple[str, int]], burst: int
) -> None:
    with emptied(valkey) as state:
        dispatchers = [control(state, rate_us=TEN_A_SECOND_US, burst=burst) for _ in range(2)]
        began_us, waited_us, out = micros(state), 0, 0
        for number, (step, amount) in enumerate(steps):
            if step == "dispatch":
                out += granted(dispatchers[number % 2], amount)
            elif step == "return":
                back = min(out, amount)
                dispatchers[number % 2].not_leased(back)
                out -= back
            else:
                let_pass(state, amount)
                waited_us += 1000 * amount
            passed_us = micros(state) - began_us + waited_us
            assert out <= burst + passed_us // TEN_A_SECOND_US
        # It holds back no more than it must: what is asked for after a while is granted.
        let_pass(state, burst * TEN_A_SECOND_US // 1000)
        assert granted(dispatchers[0], burst) == burst


class Crowd:
    """Two dispatchers that see each other's work late, and workers that end, fail, or die at any step."""

    def __init__(self, state: State, most: int) -> None:
        self.state = state
        self._dispatchers, self._seen = [control(self.state, per_day=most) for _ in range(2)], [0, 0]
        self.leased: dict[int, str] = {}
        """Outreach → the day of its place; empty before the gate."""
        self.claims: dict[int, int] = {}
        self.contacted: set[int] = set()

    def look(self, number: int) -> None:
        self._seen[number % 2] = len(self.leased)

    def dispatch(self, number: int) -> None:
        due = [n for n in range(10) if n not in self.leased and n not in self.contacted][:3]
        for n in due[: granted(self._dispatchers[number % 2], len(due), in_hand=self._seen[number % 2])]:
            self.leased[n], self.claims[n] = "", self.claims.get(n, 0) + 1

    def gate(self, number: int) -> None:
        if self.leased.get(number) == "":
            found = self._dispatchers[0].gate(held(number, claim=self.claims[number]))
            if isinstance(found, Passed):
                self.leased[number] = found.day
            else:
                del self.leased[number]

    def end(self, number: int) -> None:
        """Contacted, or nobody can say: the worker died after the gate."""
        if self.leased.pop(number, ""):
            self.contacted.add(number)

    def no_contact(self, number: int) -> None:
        day = self.leased.pop(number, None)
        if day is not None:
            self._dispatchers[1].give_back(held(number, claim=self.claims[number]), requests=1, day=day)


STEPS = st.tuples(
    st.sampled_from([Crowd.look, Crowd.dispatch, Crowd.gate, Crowd.end, Crowd.no_contact]), st.integers(0, 9)
)


@given(steps=st.lists(STEPS, max_size=60), most=st.integers(1, 4))
def test_for_any_dispatches_and_ends_no_day_has_too_many_contacts(
    valkey: EmbeddedValkey, steps: list[tuple[Callable[[Crowd, int], None], int]], most: int
) -> None:
    with emptied(valkey) as state:
        crowd = Crowd(state, most)
        for step, number in steps:
            step(crowd, number)
            counted = crowd.contacted | {n for n, day in crowd.leased.items() if day}
            assert len(counted) <= most
            assert set(places(state)) == {held(n).outreach for n in counted}


@pytest.mark.parametrize("limit", ["rate", "day"])
def test_a_dispatcher_that_dies_with_its_permits_holds_nobody_up_for_ever(state: State, limit: str) -> None:
    by = control(state, rate_us=SLOW_US if limit == "rate" else 0, burst=2, per_day=2 if limit == "day" else 0)
    assert granted(by, 2) == 2
    let_pass(state, max(ATTEMPT_MS, 2 * SLOW_US // 1000))
    assert granted(by, 2) == 2
