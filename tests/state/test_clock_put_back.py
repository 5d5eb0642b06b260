"""After a server's clock was put back, nothing waits for a time that is now in the future."""

from dataclasses import replace
from typing import Any

from state.claims import Claimed
from state.partitions import PARTITIONS
from tasks.sweep import sweep as sweep_tasks
from tests.support.attempts import deps_of
from tests.support.clock import put_clock_back
from tests.support.control_support import control
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import WAIT_MS, abandon, cut_offs, dispatch, taken
from tests.support.put_back import ON_VALKEY, begin, notice, put_back_hashes_and_sets, step_ms
from tests.support.stored_state import now_ms, score_of, stored, texts
from worker.runtime import State
from worker.settings import Settings

__all__ = ["step_ms"]  # fixtures


# The sweep's records


def reopened_after(state: State, **stored_ms: int) -> int:
    at = now_ms(state)
    state.client.hset(state.keys.sweep, mapping={name: at + ms for name, ms in stored_ms.items()})
    return state.streams.open_sweep(SECOND_MS) - at


def test_reopening_in_the_future_is_put_back_to_now(state: State, step_ms: int) -> None:
    assert 0 <= reopened_after(state, sign=0, reopened=step_ms) < SECOND_MS
    assert int(texts(state, state.keys.sweep)["reopened"]) <= now_ms(state)


def test_reopening_in_the_past_stays(state: State) -> None:
    assert -HOUR_MS - SECOND_MS < reopened_after(state, sign=-SECOND_MS, reopened=-HOUR_MS) <= -HOUR_MS


def test_step_back_larger_than_a_hole_counts_as_one(state: State, step_ms: int) -> None:
    assert 0 <= reopened_after(state, sign=step_ms) < SECOND_MS
    assert int(texts(state, state.keys.sweep)["sign"]) <= now_ms(state)


def test_step_back_smaller_than_a_hole_is_none(state: State) -> None:
    state.client.hset(state.keys.sweep, "sign", now_ms(state) + 10 * SECOND_MS)
    assert state.streams.open_sweep(MINUTE_MS) == 0


def test_silence_noted_in_the_future_ends_with_the_next_event(state: State, step_ms: int) -> None:
    state.client.hset(state.keys.sweep, "silent", now_ms(state) + step_ms)
    state.client.xadd(state.keys.events, {"event": "{}"})
    assert state.streams.shop_silence(HOUR_MS) == (False, True)
    assert int(texts(state, state.keys.sweep)["reopened"]) <= now_ms(state)


@ON_VALKEY
def test_sessions_are_claimed_one_threshold_after_the_step(real_state: State, step_ms: int) -> None:
    for place in range(5):
        happen(real_state, event(session=f"s-{place}", customer=JANE), ago_ms=place * MINUTE_MS)
    deps = deps_of(real_state)
    sweep_tasks(deps)
    put_clock_back(real_state.client, step_ms)
    sweep_tasks(deps)
    # Time passes at once: all times that were put back are 16 minutes in the past.
    client: Any = real_state.client
    reopened = int(client.hget(real_state.keys.sweep, "reopened"))
    assert reopened <= now_ms(real_state)
    client.hset(real_state.keys.sweep, "reopened", reopened - 16 * MINUTE_MS)
    sweep_tasks(replace(deps, detection=lambda: Settings().detection))
    for place in range(5):
        assert stored(real_state, f"s-{place}").silent_since_ms <= now_ms(real_state)


def test_clock_put_back_during_a_sweep_claims_nothing_in_it(state: State) -> None:
    """Its cut-off is from the earlier clock, by which all sessions have been silent for an hour."""
    happen(state, event(customer=JANE), ago_ms=SECOND_MS)
    at = now_ms(state)
    lanes = [replace(lane, checked_ms=at + HOUR_MS) for lane in cut_offs(at + HOUR_MS - WAIT_MS)]
    assert state.sessions.claim(lanes, max_age_ms=DAY_MS, required=()) == Claimed(0, 0)
    assert state.sessions.claim(
        [replace(lane, checked_ms=at) for lane in lanes], max_age_ms=DAY_MS, required=()
    ).sessions


# The outbox


def test_dispatch_puts_back_what_is_due_by_the_step(state: State, step_ms: int) -> None:
    held_one = taken(state)
    assert state.outbox.postpone(held_one, delay_ms=10 * MINUTE_MS, why="quiet_hours")
    begin(state)
    put_back_hashes_and_sets(state, step_ms)
    state.client.delete(state.keys.clock(int(held_one.outreach[:2])))  # as if nothing had been stored for a while
    notice(state)
    key = state.keys.due(int(held_one.outreach[:2]))
    due = score_of(state, key, held_one.outreach)
    assert due is not None
    assert 9 * MINUTE_MS < due - now_ms(state) <= 10 * MINUTE_MS


def test_what_became_due_while_the_clock_was_ahead_is_due_now(state: State) -> None:
    outreach = abandon(state)
    state.client.zadd(state.keys.due(int(outreach[:2])), {outreach: now_ms(state) + 20 * MINUTE_MS})
    state.outbox.put_back(dict.fromkeys(range(PARTITIONS), HOUR_MS))
    assert dispatch(state) == [outreach]


def test_many_due_at_one_moment_are_all_put_back_once(state: State) -> None:
    at, names = now_ms(state) + 3 * HOUR_MS, [f"07-{n:016x}" for n in range(25)]
    state.client.zadd(state.keys.due(7), {name: at if n < 20 else at + HOUR_MS for n, name in enumerate(names)})
    state.outbox.put_back({7: HOUR_MS}, limit=4)
    scores = [score_of(state, state.keys.due(7), name) for name in names]
    assert scores == [at - HOUR_MS] * 20 + [at] * 5


def test_clock_that_was_not_put_back_moves_nothing(state: State) -> None:
    held_one = taken(state)
    assert state.outbox.postpone(held_one, delay_ms=10 * MINUTE_MS, why="quiet_hours")
    key = state.keys.due(int(held_one.outreach[:2]))
    before = score_of(state, key, held_one.outreach)
    begin(state)
    notice(state)
    assert score_of(state, key, held_one.outreach) == before


def test_step_is_noticed_until_all_is_put_back_and_then_no_more(state: State, step_ms: int) -> None:
    by = control(state)
    begin(state)
    put_back_hashes_and_sets(state, step_ms)
    assert [by.put_back_ms() > step_ms - MINUTE_MS for _ in range(2)] == [True, True]
    notice(state)
    assert by.put_back_ms() == 0


def test_small_steps_back_add_up_to_one(state: State) -> None:
    begin(state)
    key = state.keys.control + "sending"
    seen = now_ms(state) + 900
    state.client.hset(key, "clock", seen)
    assert control(state).put_back_ms() == 0
    assert state.client.hget(key, "clock") == str(seen).encode()
