"""A clock that is only ahead between two dispatches, so that neither notices: times stored then are put back."""

from collections.abc import Callable

import pytest

from state.announcements import declare
from state.calls import outreaches as lua
from tests.support.control_support import control, granted, held, let_pass, passes
from tests.support.control_support import sending as sending_of
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.outreaches import abandon, sending, taken
from tests.support.put_back import notice
from tests.support.stored_state import now_ms, score_of
from worker.runtime import State


def due_in(state: State, outreach: str) -> float:
    """Return in how many ms an outreach is due."""
    at = score_of(state, state.keys.due(int(outreach[:2])), outreach)
    assert at is not None
    return at - now_ms(state)


def was_ahead(state: State, outreach: str) -> None:
    """Store an outreach's due time as if the clock had been an hour ahead."""
    number = int(outreach[:2])
    assert state.client.hincrby(state.keys.clock(number), "due", HOUR_MS) > now_ms(state)
    state.client.zincrby(state.keys.due(number), HOUR_MS, outreach)


# The outbox


@pytest.mark.parametrize("way", ["postpone", "settle", "reap"])
def test_due_stored_in_a_brief_jump_is_put_back(state: State, way: str) -> None:
    one = sending(state) if way == "settle" else taken(state)
    state.client.delete(state.keys.clock(int(one.outreach[:2])))  # noted by the claim
    if way == "postpone":
        assert state.outbox.postpone(one, delay_ms=10 * MINUTE_MS, why="quiet_hours")
    elif way == "settle":
        assert state.outbox.settle(one, "retry", delay_ms=10 * MINUTE_MS, line="") == "waiting"
    else:
        state.client.zadd(state.keys.leased(int(one.outreach[:2])), {one.outreach: 1})
        assert state.outbox.reap().due_again == 1
    was_ahead(state, one.outreach)
    state.outbox.put_back(state.outbox.reap().ahead_ms)
    assert due_in(state, one.outreach) <= (0 if way == "reap" else 10 * MINUTE_MS)


def test_claim_in_a_brief_jump_is_dispatched(state: State) -> None:
    outreach = abandon(state)
    was_ahead(state, outreach)
    notice(state)
    assert score_of(state, state.keys.leased(int(outreach[:2])), outreach)


def test_brief_jump_is_put_back_once(state: State) -> None:
    one = taken(state)
    assert state.outbox.postpone(one, delay_ms=10 * HOUR_MS, why="quiet_hours")
    was_ahead(state, one.outreach)
    for _ in range(3):
        notice(state)
    assert 9.9 * HOUR_MS < due_in(state, one.outreach) <= 10 * HOUR_MS


def test_brief_jump_stays_noted_until_all_is_put_back(state: State) -> None:
    at, names = now_ms(state) + 3 * HOUR_MS, [f"07-{n:016x}" for n in range(5)]
    state.client.hset(state.keys.clock(7), "due", now_ms(state) + HOUR_MS)
    state.client.zadd(state.keys.due(7), {name: at + n for n, name in enumerate(names)})
    assert state.scripts.run(lua.put_back_due(state.keys.partition(7), HOUR_MS, 0, 4))
    assert state.outbox.reap().ahead_ms.keys() == {7}


def test_partition_clock_a_second_ahead_is_tolerated(state: State) -> None:
    state.client.hset(state.keys.clock(7), "due", now_ms(state) + 900)
    assert not state.outbox.reap().ahead_ms


def test_partition_clock_never_goes_back(state: State) -> None:
    one = taken(state)
    key, later = state.keys.clock(int(one.outreach[:2])), now_ms(state) + HOUR_MS
    state.client.hset(key, "due", later)
    assert state.outbox.postpone(one, delay_ms=MINUTE_MS, why="quiet_hours")
    assert state.client.hget(key, "due") == str(later).encode()


# Blocks of all sending


def stop(state: State) -> None:
    control(state).report_outcome(held(), "refused", "http_401")


def lease_probe(state: State) -> None:
    stop(state)
    let_pass(state, HOUR_MS)
    state.client.hdel(f"{state.keys.control}sending", "clock")
    assert granted(control(state)) == 1


def probe(state: State) -> None:
    lease_probe(state)
    state.client.hdel(f"{state.keys.control}sending", "clock")
    passes(control(state))


def return_probe(state: State) -> None:
    lease_probe(state)
    state.client.hdel(f"{state.keys.control}sending", "clock")
    control(state).not_leased(1)


def pause(state: State) -> None:
    control(state).pause("", for_ms=10 * MINUTE_MS)


def disagree(state: State) -> None:
    declare(state.scripts, state.keys, "live", "one")
    declare(state.scripts, state.keys, "shadow", "two")


def end_a_time_without_orders(state: State) -> None:
    state.client.hset(state.keys.orders, mapping={"level": "stopped", "held": "1", "last": "0", "at": "0"})
    state.client.hset(state.keys.orders, "last", now_ms(state))
    state.orders.record("fine", judged_ms=0, hold=True, run=0, rate=0.5)
    assert state.client.exists(f"{state.keys.control}gaps")


@pytest.mark.parametrize("store", [stop, lease_probe, probe, return_probe, pause, disagree, end_a_time_without_orders])
def test_time_stored_with_the_control_keys_is_noted(state: State, store: Callable[[State], None]) -> None:
    before = now_ms(state)
    store(state)
    noted = int(state.client.hget(f"{state.keys.control}sending", "clock") or 0)
    assert before <= noted <= now_ms(state)


def test_order_of_a_brief_jump_is_noticed(state: State) -> None:
    state.client.hset(state.keys.orders, "last", now_ms(state) + HOUR_MS)
    assert control(state).put_back_ms() > HOUR_MS - MINUTE_MS
    notice(state)
    assert state.orders.flow().last_ms <= now_ms(state)


def test_stop_in_a_brief_jump_is_put_back(state: State) -> None:
    stop(state)
    for field in ("clock", "since", "retry_at"):
        assert state.client.hincrby(f"{state.keys.control}sending", field, HOUR_MS) > now_ms(state)
    notice(state)
    next_try_ms = sending_of(state).next_try_ms
    assert next_try_ms is not None
    assert next_try_ms - now_ms(state) <= MINUTE_MS
