"""The outbox up to the take: what dispatch leases, and which worker gets it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from state.outbox import MOST_TAKES, Ended
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE
from tests.support.outreaches import abandon, dispatch, sending, take, take_again, taken
from tests.support.passing_time import let_backoff_pass, let_lease_run_out
from tests.support.states import LEASE_MS
from tests.support.stored_state import counters, now_ms, places_of, record, score_of, stored
from worker.runtime import State


def leased_until(state: State, outreach: str) -> int:
    score = score_of(state, state.keys.leased(int(outreach[:2])), outreach)
    assert score is not None
    return score


# Dispatch


def test_dispatch_leases_due_outreaches_and_records_the_barrier(state: State) -> None:
    outreach = abandon(state)
    before_ms = now_ms(state)
    assert state.outbox.lease_due(10, now_ms=before_ms, barrier="12-3") == [outreach]
    assert places_of(state, outreach) == {"leased"}
    assert record(state, outreach)["state"] == "waiting"
    assert before_ms + LEASE_MS <= leased_until(state, outreach) <= now_ms(state) + LEASE_MS
    assert take(state, outreach).barrier == "12-3"


def test_dispatch_leaves_what_is_not_due(state: State) -> None:
    held = taken(state)
    state.outbox.postpone(held, delay_ms=MINUTE_MS, why="quiet_hours")
    assert dispatch(state) == []
    let_backoff_pass(state, held.outreach)
    assert dispatch(state) == [held.outreach]


def test_dispatch_does_not_trust_the_clock_of_its_caller(state: State) -> None:
    held = taken(state)
    state.outbox.postpone(held, delay_ms=MINUTE_MS, why="quiet_hours")
    assert state.outbox.lease_due(10, now_ms=now_ms(state) + HOUR_MS, barrier="0-0") == []


def test_dispatch_leases_nothing_twice(state: State) -> None:
    abandon(state)
    assert len(dispatch(state)) == 1
    assert dispatch(state) == []


def test_dispatch_takes_those_that_have_been_due_for_longest(state: State) -> None:
    by_age = [abandon(state, f"s-{hours}", ago_ms=hours * HOUR_MS) for hours in (5, 4, 3, 2)]
    assert set(dispatch(state, limit=2)) == set(by_age[:2])
    assert set(dispatch(state, limit=10)) == set(by_age[2:])


@pytest.mark.parametrize("limit", [0, -1])
def test_dispatch_leases_nothing_when_nothing_is_free(state: State, limit: int) -> None:
    abandon(state)
    assert dispatch(state, limit=limit) == []


def test_dispatch_drops_an_outreach_without_record(state: State) -> None:
    outreach = abandon(state)
    state.client.delete(state.keys.outreach(outreach))
    state.client.pexpire(state.keys.session("s-1"), DAY_MS)
    assert dispatch(state) == []
    assert places_of(state, outreach) == set()
    assert counters(state) == {"expired.outreach_gone": 1}


@pytest.mark.parametrize("ended", ["sent", "cancelled", "unknown"])
def test_dispatch_hands_out_none_that_has_ended(state: State, ended: Ended) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, ended, "")
    state.client.zadd(state.keys.due(int(held.outreach[:2])), {held.outreach: 0})
    assert dispatch(state) == []
    assert "due" not in places_of(state, held.outreach)


def test_leased_counts_all_partitions(state: State) -> None:
    for number in range(5):
        abandon(state, f"s-{number}")
    dispatch(state, limit=3)
    assert state.outbox.leased() == 3


# Take


def test_take_returns_the_outreach_with_its_current_session(state: State) -> None:
    held = taken(state)
    assert (held.attempts, held.body, held.key, held.ambiguous) == (0, "", "", False)
    assert (held.lane, held.session.session_id, held.session.state) == ("checkout.web.idle", "s-1", "abandoned")
    assert held.session == stored(state)
    assert held.session.fields["name"] == JANE["full_name"]
    assert abs(held.now_ms - now_ms(state)) < MINUTE_MS
    assert record(state, held.outreach)["state"] == "leased"


def test_a_doubled_message_is_dropped(state: State) -> None:
    held = taken(state)
    assert state.outbox.take(held.outreach) is None
    assert record(state, held.outreach)["token"] == str(held.token)


@pytest.mark.xdist_group("valkey")
def test_only_one_of_many_takers_gets_it(real_state: State) -> None:
    outreach, takers = abandon(real_state), 8
    dispatch(real_state)
    start = Barrier(takers)

    def one_take(_: int) -> bool:
        start.wait()
        return real_state.outbox.take(outreach) is not None

    with ThreadPoolExecutor(takers) as pool:
        assert sum(pool.map(one_take, range(takers))) == 1


def test_taking_renews_the_lease(state: State) -> None:
    outreach = abandon(state)
    dispatch(state)
    let_lease_run_out(state, outreach)
    take(state, outreach)
    assert leased_until(state, outreach) > now_ms(state) + LEASE_MS - MINUTE_MS


def test_a_message_that_comes_while_it_backs_off_is_dropped(state: State) -> None:
    held = taken(state)
    state.outbox.postpone(held, delay_ms=MINUTE_MS, why="quiet_hours")
    assert state.outbox.take(held.outreach) is None
    assert places_of(state, held.outreach) == {"due"}


def test_message_for_a_due_outreach_waits_for_the_next_dispatch(state: State) -> None:
    """Events since the dispatch that sent the message would not be in its barrier."""
    held = taken(state)
    state.outbox.postpone(held, delay_ms=MINUTE_MS, why="quiet_hours")
    let_backoff_pass(state, held.outreach)
    assert state.outbox.take(held.outreach) is None
    state.outbox.lease_due(1, now_ms=now_ms(state), barrier="99-0")
    assert take(state, held.outreach).barrier == "99-0"


def test_an_outreach_that_was_never_dispatched_cannot_be_taken(state: State) -> None:
    outreach = abandon(state)
    assert state.outbox.take(outreach) is None
    assert places_of(state, outreach) == {"due"}


@pytest.mark.parametrize("ended", ["sent", "cancelled", "suppressed", "expired", "dead", "unknown"])
def test_an_ended_one_cannot_be_taken(state: State, ended: Ended) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, ended, "")
    assert state.outbox.take(held.outreach) is None
    assert record(state, held.outreach)["state"] == ended


def test_one_that_is_sending_cannot_be_taken(state: State) -> None:
    held = sending(state)
    assert state.outbox.take(held.outreach) is None
    assert record(state, held.outreach)["state"] == "sending"


def test_outreach_without_record_cannot_be_taken(state: State) -> None:
    assert state.outbox.take("07-0123456789abcdef") is None
    assert list(state.client.scan_iter("*:outreach:*")) == []


def test_outreach_that_repeatedly_stops_its_worker_is_dead(state: State) -> None:
    outreach = abandon(state)
    for _ in range(MOST_TAKES):
        dispatch(state)
        take(state, outreach)
        let_lease_run_out(state, outreach)
        state.outbox.reap()
    dispatch(state)
    assert state.outbox.take(outreach) is None
    assert record(state, outreach)["state"] == "dead"
    assert places_of(state, outreach) == {"dead"}
    assert counters(state) == {"dead.stops_its_worker": 1}


def test_takes_that_ended_in_order_are_not_held_against_it(state: State) -> None:
    held = taken(state)
    claims = {held.token}
    for _ in range(2 * MOST_TAKES):
        state.outbox.postpone(held, delay_ms=0, why="")
        held = take_again(state, held.outreach)
        claims.add(held.token)
    assert len(claims) == 2 * MOST_TAKES + 1
    assert max(claims) == held.token


def test_messages_that_were_lost_are_not_held_against_it(state: State) -> None:
    outreach = abandon(state)
    for _ in range(2 * MOST_TAKES):
        dispatch(state)
        let_lease_run_out(state, outreach)
        state.outbox.reap()
    dispatch(state)
    assert state.outbox.take(outreach) is not None
