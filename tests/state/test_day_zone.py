"""The counters are kept by days of the shop's zone."""

from datetime import datetime

import pytest

from state import daily_counters, day_zone
from state.calls.outreaches import put_back_due
from state.day_zone import UTC_DAYS, DayZone
from state.lua_loader import assembled, read
from state.partitions import PARTITIONS
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.events import event, happen
from tests.support.stored_state import now_ms
from winback.operations.report import day_of
from worker.runtime import State

BOGOTA = DayZone("America/Bogota", -5 * HOUR_MS)
KOLKATA = DayZone("Asia/Kolkata", 11 * HOUR_MS // 2)
COUNT = "-- include: count\nlocal _\ncount(KEYS[1], tonumber(ARGV[1]), 'sent', 1)"


def run(state: State, text: str, partition: int, argument: int) -> None:
    """Run a script with its includes on a partition."""
    script = assembled("here", lambda name: text if name == "here" else read(name))
    state.scripts.client.execute_command("EVAL", script, 1, state.keys.partition(partition), argument)


def counted_at(state: State, moment: str) -> tuple[int, list[str]]:
    """Count something at a moment (UTC); return the moment (ms) and the days that then have a counter."""
    at_ms = int(datetime.fromisoformat(f"{moment}+00:00").timestamp()) * 1000
    run(state, COUNT, 7, at_ms)
    keys = state.client.scan_iter(state.keys.partition(7) + "stats:*", 1000)
    return at_ms, [day_of(int(key.rpartition(b":")[2])).isoformat() for key in keys]


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        (UTC_DAYS, "2026-12-01T00:00", "2026-12-01"),
        (BOGOTA, "2026-12-01T04:59:59", "2026-11-30"),
        (BOGOTA, "2026-12-01T05:00", "2026-12-01"),
        (BOGOTA, "2026-12-02T04:59:59", "2026-12-01"),
        (KOLKATA, "2026-12-01T18:29:59", "2026-12-01"),
        (KOLKATA, "2026-12-01T18:30", "2026-12-02"),
    ],
)
def test_counter_and_reader_agree_around_local_midnight(state: State, zone: DayZone, moment: str, day: str) -> None:
    day_zone.record(state.scripts, state.keys, zone)
    at_ms, days = counted_at(state, moment)

    assert days == [day]
    assert day_of(day_zone.read(state.scripts, state.keys).day(at_ms)).isoformat() == day


def test_counter_is_in_the_local_day(state: State) -> None:
    yesterday = DayZone("Somewhere", -(now_ms(state) % DAY_MS) - HOUR_MS)
    day_zone.record(state.scripts, state.keys, yesterday)
    happen(state, event())
    today, zone = daily_counters.today(state.scripts, state.keys)

    assert (today, zone) == (now_ms(state) // DAY_MS - 1, yesterday)
    assert [each.name for each in daily_counters.read(state.scripts, state.keys, today, today)] == ["sessions"]


def test_days_are_utc_until_a_sweep_records_the_zone(state: State) -> None:
    assert day_zone.read(state.scripts, state.keys) == UTC_DAYS
    assert counted_at(state, "2026-12-01T00:00")[1] == ["2026-12-01"]


def test_all_partitions_get_the_zone_and_utc_removes_it(state: State) -> None:
    due = state.keys.clock(3)
    state.client.hset(due, "due", 5)
    day_zone.record(state.scripts, state.keys, KOLKATA)
    offsets = {state.client.hget(state.keys.clock(number), "offset") for number in range(PARTITIONS)}
    assert offsets == {b"19800000"}

    day_zone.record(state.scripts, state.keys, UTC_DAYS)
    assert day_zone.read(state.scripts, state.keys) == UTC_DAYS
    assert state.client.hgetall(due) == {b"due": b"5"}


def test_due_times_and_a_put_back_clock_keep_the_zone(state: State) -> None:
    day_zone.record(state.scripts, state.keys, BOGOTA)
    run(state, "-- include: note_time\nlocal _\nnote_time(KEYS[1], tonumber(ARGV[1]))", 0, 7)
    assert state.client.hget(state.keys.clock(0), "due") == b"7"
    state.scripts.run(put_back_due(state.keys.partition(0), HOUR_MS, 0, 4))

    assert day_zone.read(state.scripts, state.keys) == BOGOTA
