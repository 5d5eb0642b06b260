"""After a server's clock was put back: pauses, alarms, orders and monitoring data."""

from typing import Any

from state.alarms import Alarms
from state.announcements import announce, declare
from state.backlog import Backlog, read_dispatch_hold
from state.keys import Keys
from state.progress_stamps import Stamps, read_progress
from tests.support.cli_support import make_healthy, read
from tests.support.clock import put_clock_back
from tests.support.control_support import control, granted, held
from tests.support.control_support import sending as sending_of
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.put_back import ON_VALKEY, begin, notice, put_back_hashes_and_sets, step_ms
from tests.support.stored_state import now_ms, texts
from worker.monitoring import health
from worker.runtime import State
from worker.settings import Settings

__all__ = ["step_ms"]  # fixtures


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
    by.report_outcome(held(), "refused", "http_401")
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
    """While it ends in the future, no session that falls silent can be contacted."""
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


def test_future_stamp_is_ignored(state: State) -> None:
    Stamps(state.scripts, state.keys).swept({})
    assert read_progress(texts(state, state.keys.progress), now_ms(state)).swept_ms is not None
    assert read_progress(texts(state, state.keys.progress), now_ms(state) - MINUTE_MS).swept_ms is None


def test_backlog_of_the_future_began_as_long_ago_as_before(state: State, step_ms: int) -> None:
    begin(state)
    Backlog(state.scripts, state.keys).note(5)
    put_back_hashes_and_sets(state, step_ms)
    notice(state)
    found = read_dispatch_hold(texts(state, state.keys.backlog))
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


# Monitoring


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
    lives = {role: health.liveness(role, read(real_state), Settings()).state for role in ("ingest", "recover", "beat")}
    assert set(lives.values()) == {"silent"}


@ON_VALKEY
def test_role_is_alive_right_after_the_clock_was_put_back(real_state: State, step_ms: int) -> None:
    make_healthy(real_state)
    begin(real_state)
    put_clock_back(real_state.client, step_ms)
    notice(real_state)
    assert health.liveness("ingest", read(real_state), Settings()).state == "alive"


def test_monitor_lock_from_the_future_is_taken_over(state: State) -> None:
    alarms = Alarms(state.scripts, state.keys)
    assert alarms.take_monitor_lock("one", 5 * SECOND_MS)
    assert not alarms.take_monitor_lock("two", 5 * SECOND_MS)
    state.client.pexpire(Keys().monitor_lock, DAY_MS)
    assert alarms.take_monitor_lock("two", 5 * SECOND_MS)


def test_alarm_from_the_future_resolves_on_time(state: State, step_ms: int) -> None:
    alarms = Alarms(state.scripts, state.keys)
    assert [change.event for change in alarms.update({"beat": 2}, repeat_ms=HOUR_MS)] == ["begins"]
    put_back_hashes_and_sets(state, step_ms)
    assert alarms.update({"beat": 2}, repeat_ms=HOUR_MS) == []
    state.client.hset(state.keys.alarms, "beat", _older(texts(state, state.keys.alarms)["beat"], HOUR_MS))
    assert [change.event for change in alarms.update({"beat": 2}, repeat_ms=HOUR_MS)] == ["lasts"]
    assert [change.event for change in alarms.update({}, repeat_ms=HOUR_MS)] == ["over"]


def _older(stored_alarm: str, by_ms: int) -> str:
    since, last, level = stored_alarm.split(" ")
    return f"{int(since) - by_ms} {int(last) - by_ms} {level}"
