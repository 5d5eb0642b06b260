"""After a server's clock was put back, nothing waits for a moment that now lies in the future."""

from dataclasses import replace
from typing import Any

import pytest

from state.alarms import Alarms
from state.announcements import announce, declare
from state.backlog import Backlog, read_held
from state.claims import Claimed
from state.decisions import RETRY_UNKNOWN_AFTER_MS
from state.keys import Keys
from state.people import Held, person_of
from state.progress_stamps import Stamps, read_progress
from tasks.delivery.sending import LONGEST_UNKNOWN, unknown_for
from tasks.dispatch import dispatch as dispatch_tasks
from tasks.sweep import sweep as sweep_tasks
from tests.state.test_forgotten import forget, forgetting, is_tombstone
from tests.state.test_operator import dead, operator, said, unknown
from tests.support.attempts import deps_of
from tests.support.clock import put_clock_back
from tests.support.controlling import control, granted, held
from tests.support.controlling import sending as sending_of
from tests.support.helpers import (
    CAP_MS,
    DAY_MS,
    HOUR_MS,
    JANE,
    LEAD,
    LEASE_MS,
    LIMITS,
    MINUTE_MS,
    SECOND_MS,
    SECRET,
    WAIT_MS,
    abandon,
    cut_offs,
    dispatch,
    event,
    happen,
    let_reservations_age,
    now_ms,
    same_partition,
    score_of,
    stored,
    take,
    taken,
    texts,
)
from tests.support.looking import make_healthy, read
from worker.monitoring import health
from worker.runtime import State
from worker.settings import Settings

PERSON = "ab" * 32
ON_VALKEY = pytest.mark.xdist_group("valkey")


@pytest.fixture(params=[HOUR_MS, 365 * DAY_MS], ids=["an hour", "a year"])
def step_ms(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def notice(state: State) -> None:
    """Let a dispatch notice it."""
    dispatch_tasks(deps_of(state), queued=lambda: 0, enqueue=lambda _: None)


def begin(state: State) -> None:
    """Let a dispatch have seen the time before the clock is put back."""
    assert control(state).put_back_ms() == 0


# What a sweep remembers


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
    assert state.streams.shop_is_silent(HOUR_MS) == (False, True)
    assert int(texts(state, state.keys.sweep)["reopened"]) <= now_ms(state)


@ON_VALKEY
def test_sessions_are_claimed_one_threshold_after_the_step(real_state: State, step_ms: int) -> None:
    for place in range(5):
        happen(real_state, event(session=f"s-{place}", customer=JANE), ago_ms=place * MINUTE_MS)
    deps = deps_of(real_state)
    sweep_tasks(deps)
    put_clock_back(real_state.client, step_ms)
    sweep_tasks(deps)
    # The time passes at once: all that was put back lies 16 minutes in the past.
    client: Any = real_state.client
    reopened = int(client.hget(real_state.keys.sweep, "reopened"))
    assert reopened <= now_ms(real_state)
    client.hset(real_state.keys.sweep, "reopened", reopened - 16 * MINUTE_MS)
    sweep_tasks(replace(deps, detection=lambda: Settings().detection))
    for place in range(5):
        assert stored(real_state, f"s-{place}").silent_since_ms <= now_ms(real_state)


def test_clock_put_back_during_a_sweep_claims_nothing_in_it(state: State) -> None:
    """Its cut-off is of the clock before, by which everybody has been silent for an hour."""
    happen(state, event(customer=JANE), ago_ms=SECOND_MS)
    at = now_ms(state)
    lanes = [replace(lane, looked_ms=at + HOUR_MS) for lane in cut_offs(at + HOUR_MS - WAIT_MS)]
    assert state.sessions.claim(lanes, max_age_ms=DAY_MS, required=()) == Claimed(0, 0)
    assert state.sessions.claim(
        [replace(lane, looked_ms=at) for lane in lanes], max_age_ms=DAY_MS, required=()
    ).sessions


# What waits in the outbox


def test_dispatch_puts_back_what_is_due_by_the_step(state: State, step_ms: int) -> None:
    held_one = taken(state)
    assert state.outbox.postpone(held_one, delay_ms=10 * MINUTE_MS, why="quiet_hours")
    begin(state)
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    key = state.keys.due(int(held_one.outreach[:2]))
    due = score_of(state, key, held_one.outreach)
    assert due is not None
    assert 9 * MINUTE_MS < due - now_ms(state) <= 10 * MINUTE_MS


def test_what_became_due_while_the_clock_was_ahead_is_due_now(state: State) -> None:
    outreach = abandon(state)
    state.client.zadd(state.keys.due(int(outreach[:2])), {outreach: now_ms(state) + 20 * MINUTE_MS})
    state.outbox.put_back(HOUR_MS)
    assert dispatch(state) == [outreach]


def test_many_due_at_one_moment_are_all_put_back_once(state: State) -> None:
    at, names = now_ms(state) + 3 * HOUR_MS, [f"07-{n:016x}" for n in range(25)]
    state.client.zadd(state.keys.due(7), {name: at if n < 20 else at + HOUR_MS for n, name in enumerate(names)})
    state.outbox.put_back(HOUR_MS, limit=4)
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


def test_lease_of_a_dead_worker_is_put_back_to_one_lease(state: State, step_ms: int) -> None:
    held_one = taken(state)
    put_back_hashes_and_sets(state, step_ms)
    state.outbox.reap()
    ends = score_of(state, state.keys.leased(int(held_one.outreach[:2])), held_one.outreach)
    assert ends is not None
    assert LEASE_MS - SECOND_MS < ends - now_ms(state) <= LEASE_MS


def test_lease_of_a_worker_that_lives_is_left_as_it_is(state: State) -> None:
    held_one = taken(state)
    key = state.keys.leased(int(held_one.outreach[:2]))
    before = score_of(state, key, held_one.outreach)
    state.outbox.reap()
    assert score_of(state, key, held_one.outreach) == before


def test_retry_of_an_unknown_one_waits_as_long_as_from_now(state: State, step_ms: int) -> None:
    held_one = unknown(state, for_ms=-step_ms)
    by = operator(state)
    assert said(by.retry_unknown([held_one.outreach]))[0][0] == "too_soon"
    ended = int(texts(state, state.keys.outreach(held_one.outreach))["ended_at"])
    assert ended <= now_ms(state)
    state.client.hset(state.keys.outreach(held_one.outreach), "ended_at", ended - RETRY_UNKNOWN_AFTER_MS)
    assert said(by.retry_unknown([held_one.outreach])) == [("retried", "")]


@pytest.mark.parametrize(("first_ms", "expected_s"), [(-5000, 5), (500, 0), (2000, LONGEST_UNKNOWN.total_seconds())])
def test_first_attempt_in_the_future_is_too_long_ago(first_ms: int, expected_s: float) -> None:
    """Its key may be forgotten: then the request is not repeated."""
    at = 1_800_000_000_000
    assert unknown_for(replace(held(), now_ms=at, first_sending_ms=at + first_ms)).total_seconds() == expected_s


# What is known of people


def test_contact_in_the_future_counts_from_now(state: State, step_ms: int) -> None:
    outreaches = [taken(state, session) for session in same_partition("s-1", 2)]
    first, second = outreaches
    assert state.people.reserve([PERSON], first.outreach, first.claim, LEAD, LIMITS) == "reserved"
    put_back_hashes_and_sets(state, step_ms)
    assert state.people.reserve([PERSON], second.outreach, second.claim, LEAD, LIMITS) == "held"
    let_reservations_age(state, PERSON, LEASE_MS)
    assert state.people.reserve([PERSON], second.outreach, second.claim, LEAD, LIMITS) == "capped"
    let_reservations_age(state, PERSON, CAP_MS)
    assert state.people.reserve([PERSON], second.outreach, second.claim, LEAD, LIMITS) == "reserved"


def test_policy_sees_a_contact_in_the_future_as_made_now(state: State, step_ms: int) -> None:
    first = taken(state)
    assert state.people.reserve([PERSON], first.outreach, first.claim, LEAD, LIMITS) == "reserved"
    put_back_hashes_and_sets(state, step_ms)
    (found,) = state.people.facts(PERSON).contacts
    assert isinstance(found, Held)
    assert found.at_ms <= now_ms(state)


def test_order_after_a_forgetting_in_the_future_counts(state: State, step_ms: int) -> None:
    person = person_of(JANE["phone_number"], SECRET)
    forgetting(state).bar(person)
    put_back_hashes_and_sets(state, step_ms)
    assert not state.people.mark_bought(person, now_ms(state) - 3 * MINUTE_MS)
    assert state.people.mark_bought(person, now_ms(state) - SECOND_MS)


def test_session_forgotten_in_the_future_can_begin_again(state: State, step_ms: int) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    forget(state)
    put_back_hashes_and_sets(state, step_ms)
    happen(state, event(customer=JANE), ago_ms=3 * MINUTE_MS)
    assert is_tombstone(state)
    happen(state, event(customer=JANE), ago_ms=SECOND_MS)
    assert stored(state).activity
    assert stored(state).silent_since_ms <= now_ms(state)


def put_back_hashes_and_sets(state: State, by_ms: int) -> None:
    """Put the clock back for whatever is stored but the streams, which fakeredis cannot."""
    client: Any = state.client
    client.delete(state.keys.events)
    put_clock_back(client, by_ms, namespace=state.keys.namespace)


# What holds back all sending


def test_pause_ends_when_it_was_meant_to(state: State, step_ms: int) -> None:
    by = control(state)
    begin(state)
    by.pause("", for_ms=10 * MINUTE_MS)
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = sending_of(state)
    assert found.until_ms is not None
    assert found.since_ms is not None
    assert 9 * MINUTE_MS < found.until_ms - now_ms(state) <= 10 * MINUTE_MS
    assert found.since_ms <= now_ms(state)


def test_pause_from_before_the_clock_was_ahead_is_not_cut_short(state: State) -> None:
    by = control(state)
    by.pause("", for_ms=10 * MINUTE_MS)
    state.client.hset(f"{state.keys.control}sending", "clock", now_ms(state) + DAY_MS)
    notice(state)
    found = sending_of(state)
    assert found.until_ms is not None
    assert found.until_ms - now_ms(state) > 9 * MINUTE_MS


def test_stopped_sending_is_tried_again_as_soon_as_before(state: State, step_ms: int) -> None:
    by = control(state)
    begin(state)
    by.record(held(), "refused", "http_401")
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = sending_of(state)
    assert found.next_try_ms is not None
    assert found.next_try_ms - now_ms(state) <= MINUTE_MS
    assert granted(by) == 0


def test_orders_of_the_future_give_way_to_those_of_now(state: State, step_ms: int) -> None:
    begin(state)
    at = now_ms(state)
    state.client.hset(state.keys.orders, mapping={"last": at, "at": at, "since": at})
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = texts(state, state.keys.orders)
    assert found["last"] == found["at"]
    assert int(found["last"]) <= now_ms(state)


def test_gap_in_the_orders_ends_in_the_past(state: State) -> None:
    """While it ends in the future, no session that falls silent may be contacted."""
    begin(state)
    at = now_ms(state)
    state.client.zadd(f"{state.keys.control}gaps", {str(at - HOUR_MS): at + DAY_MS, str(at + DAY_MS - 5): at + DAY_MS})
    state.client.zadd(f"{state.keys.control}gaps", {str(at - 9 * HOUR_MS): at - 8 * HOUR_MS})
    state.client.hset(f"{state.keys.control}sending", "clock", at + DAY_MS)
    notice(state)
    state.client.pexpire(f"{state.keys.control}gaps", DAY_MS)
    client: Any = state.client
    found = client.zrange(f"{state.keys.control}gaps", 0, -1, withscores=True)
    gaps = {int(member): int(score) for member, score in found}
    assert max(gaps.values()) <= now_ms(state)
    assert gaps[at - 9 * HOUR_MS] == at - 8 * HOUR_MS
    assert max(gaps) <= now_ms(state)


def test_checkouts_of_the_future_are_dropped(state: State) -> None:
    begin(state)
    at = now_ms(state)
    members = {"a": at + DAY_MS, "b": -(at + DAY_MS), "c": at - MINUTE_MS, "d": -(at - MINUTE_MS)}
    state.client.zadd(state.keys.checkouts, members)
    state.client.pexpire(state.keys.checkouts, DAY_MS)
    state.client.hset(f"{state.keys.control}sending", "clock", at + DAY_MS)
    notice(state)
    assert set(state.client.zrange(state.keys.checkouts, 0, -1)) == {b"c", b"d"}


def test_stamps_of_progress_are_put_back_by_the_step(state: State, step_ms: int) -> None:
    stamps = Stamps(state.scripts, state.keys)
    begin(state)
    stamps.swept({})
    assert stamps.taken()
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = read_progress(texts(state, state.keys.progress), now_ms(state))
    assert None not in {found.swept_ms, found.taken_ms, found.undecided_ms}


def test_stamp_of_the_future_says_nothing(state: State) -> None:
    Stamps(state.scripts, state.keys).swept({})
    assert read_progress(texts(state, state.keys.progress), now_ms(state)).swept_ms is not None
    assert read_progress(texts(state, state.keys.progress), now_ms(state) - MINUTE_MS).swept_ms is None


def test_backlog_of_the_future_began_as_long_ago_as_before(state: State, step_ms: int) -> None:
    begin(state)
    Backlog(state.scripts, state.keys).note(5)
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = read_held(texts(state, state.keys.backlog))
    assert found is not None
    assert found.since_ms <= now_ms(state)


def test_disagreement_of_the_future_began_in_the_past(state: State, step_ms: int) -> None:
    begin(state)
    declare(state.scripts, state.keys, "live", "one")
    declare(state.scripts, state.keys, "shadow", "two")
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    since_ms = sending_of(state).since_ms
    assert since_ms is not None
    assert since_ms <= now_ms(state)


# Who watches, and is watched


@ON_VALKEY
def test_announcement_of_the_future_is_from_before_the_step(real_state: State, step_ms: int) -> None:
    make_healthy(real_state)
    announce(real_state.scripts, real_state.keys, "ingest", {"contact": "a"}, "gone")
    begin(real_state)
    put_clock_back(real_state.client, step_ms)
    notice(real_state)
    client: Any = real_state.client
    client.hincrby(f"{real_state.keys.control}sending", "put_back", -MINUTE_MS)
    [found] = read(real_state).announced["ingest"]
    assert read(real_state).now_ms - found.at_ms >= MINUTE_MS


@ON_VALKEY
def test_dead_role_is_seen_dead_after_the_clock_was_put_back(real_state: State, step_ms: int) -> None:
    make_healthy(real_state)
    begin(real_state)
    put_clock_back(real_state.client, step_ms)
    notice(real_state)
    client: Any = real_state.client
    client.hincrby(f"{real_state.keys.control}sending", "put_back", -MINUTE_MS)
    lives = {role: health.life(role, read(real_state), Settings()).state for role in ("ingest", "recover", "beat")}
    assert set(lives.values()) == {"silent"}


@ON_VALKEY
def test_role_is_alive_right_after_the_clock_was_put_back(real_state: State, step_ms: int) -> None:
    make_healthy(real_state)
    begin(real_state)
    put_clock_back(real_state.client, step_ms)
    notice(real_state)
    assert health.life("ingest", read(real_state), Settings()).state == "alive"


def test_turn_to_watch_from_the_future_is_taken_over(state: State) -> None:
    alarms = Alarms(state.scripts, state.keys)
    assert alarms.take_turn("one", 5 * SECOND_MS)
    assert not alarms.take_turn("two", 5 * SECOND_MS)
    state.client.pexpire(Keys().watch, DAY_MS)
    assert alarms.take_turn("two", 5 * SECOND_MS)


def test_alarm_told_in_the_future_is_over_when_it_is(state: State, step_ms: int) -> None:
    alarms = Alarms(state.scripts, state.keys)
    assert [change.went for change in alarms.record({"beat": 2}, again_ms=HOUR_MS)] == ["begins"]
    put_back_hashes_and_sets(state, step_ms)
    assert alarms.record({"beat": 2}, again_ms=HOUR_MS) == []
    state.client.hset(state.keys.alarms, "beat", _older(texts(state, state.keys.alarms)["beat"], HOUR_MS))
    assert [change.went for change in alarms.record({"beat": 2}, again_ms=HOUR_MS)] == ["lasts"]
    assert [change.went for change in alarms.record({}, again_ms=HOUR_MS)] == ["over"]


def _older(stored_alarm: str, by_ms: int) -> str:
    since, last, level = stored_alarm.split(" ")
    return f"{int(since) - by_ms} {int(last) - by_ms} {level}"


def test_dead_outreach_of_the_future_can_be_retried(state: State, step_ms: int) -> None:
    found = dead(state)
    state.client.hset(state.keys.outreach(found.outreach), "ended_at", now_ms(state) + step_ms)
    assert said(operator(state).retry_dead([found.outreach])) == [("retried", "")]
    assert dispatch(state) == [found.outreach]
    assert take(state, found.outreach).attempts == 0
