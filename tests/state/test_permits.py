"""How many outreaches can be dispatched: the rate and the daily contacts, for all workers together."""

import pytest

from tests.support.control_support import ATTEMPT_MS, control, granted, held, let_pass, passes, places, sending
from tests.support.durations import DAY_MS
from tests.support.stored_state import now_ms, ttl_ms
from tests.support.waiting import eventually
from worker.runtime import State

SLOW_US = 3_600_000_000
"""So slow that no permit returns during a test."""


def test_without_a_rate_as_many_as_are_wanted_may_go(state: State) -> None:
    assert granted(control(state), 1_000_000) == 1_000_000
    assert granted(control(state), 0) == 0


def test_as_many_as_the_burst_go_at_once_and_then_no_more(state: State) -> None:
    by = control(state, rate_us=SLOW_US, burst=4)
    assert [granted(by, 3), granted(by, 3), granted(by, 3)] == [3, 1, 0]


def test_permits_refill_over_time_up_to_the_burst(state: State) -> None:
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
    by.return_permits(held(), requests=1)
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
    by.return_permits(held(), requests=0, day="1")
    assert granted(by) == 0


def test_clock_put_back_or_faster_rate_blocks_only_briefly(state: State) -> None:
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
    assert by.permits(1, in_flight=0).sending_state == "full"


def test_attempt_in_flight_may_need_its_daily_slot(state: State) -> None:
    by = control(state, per_day=5)
    passes(by, 1)
    assert granted(by, in_flight=1) == 3
    assert granted(by, in_flight=4) == 0
    assert granted(by, in_flight=400) == 0


def test_an_outreach_that_is_tried_again_has_its_place_already(state: State) -> None:
    by = control(state, per_day=1)
    passes(by, 1)
    assert passes(by, 1, token=2).day
    assert by.gate(held(2)) == "full"


def test_daily_slot_returns_when_no_contact_was_made(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1).day
    by.return_permits(held(1), requests=0, day=day)
    assert places(state) == {}
    assert granted(by) == 1


def test_an_earlier_claim_takes_no_place_back(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1, token=9).day
    passes(by, 1, token=10)
    passes(by, 1, token=9)
    by.return_permits(held(1, token=9), requests=0, day=day)
    assert places(state) == {held(1).outreach: "10"}


def test_the_contacts_of_another_day_are_another_days(state: State) -> None:
    by = control(state, per_day=1)
    passes(by, 1)
    today = now_ms(state) // DAY_MS
    state.client.rename(
        f"{state.keys.control}daily_contacts:{today}", f"{state.keys.control}daily_contacts:{today - 1}"
    )
    assert granted(by) == 1
    passes(by, 2)
    by.return_permits(held(1), requests=0, day=str(today - 1))
    assert [places(state, days_ago=ago) for ago in (0, 1)] == [{held(2).outreach: "1"}, {}]


def test_daily_contacts_expire_after_two_days(state: State) -> None:
    by = control(state, per_day=5)
    for number in range(3):
        passes(by, number)
    left = ttl_ms(state, f"{state.keys.control}daily_contacts:{now_ms(state) // DAY_MS}")
    assert left is not None
    assert DAY_MS < left <= 2 * DAY_MS


def test_without_a_daily_limit_contacts_are_not_counted(state: State) -> None:
    assert passes(control(state), 1).day == ""
    assert places(state) == {}


def test_daily_limit_is_reported_when_reached_and_when_free(state: State) -> None:
    by = control(state, per_day=1)
    day = passes(by, 1).day
    found = [by.permits(1, in_flight=0) for _ in range(2)]
    assert [(permits.sending_state, permits.changed) for permits in found] == [("full", True), ("full", False)]
    assert sending(state).sending_state == "full"
    by.return_permits(held(1), requests=0, day=day)
    found = [by.permits(1, in_flight=0) for _ in range(2)]
    assert [(permits.sending_state, permits.changed) for permits in found] == [("on", True), ("on", False)]


@pytest.mark.parametrize("limit", ["rate", "day"])
def test_permits_of_a_dead_dispatcher_return(state: State, limit: str) -> None:
    by = control(state, rate_us=SLOW_US if limit == "rate" else 0, burst=2, per_day=2 if limit == "day" else 0)
    assert granted(by, 2) == 2
    let_pass(state, max(ATTEMPT_MS, 2 * SLOW_US // 1000))
    assert granted(by, 2) == 2
