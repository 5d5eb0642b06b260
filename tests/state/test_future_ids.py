"""Event ids in the future: how silence is measured then, and how the stream recovers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.claims import Claimed
from state.watermark import AHEAD_MS, HIGHEST_ID, Faults, StreamSnapshot, Trail, measured_until, next_trail
from tasks.sweep import sweep
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.future_ids import AHEAD, poison
from tests.support.ingest_support import ingest_of, publish, publish_raw
from tests.support.stored_state import now_ms, stored, texts
from tests.tasks.test_sweep import NOTHING, deps
from worker.runtime import State

NOW = 1_800_000_000_000
FUTURE = NOW + 400 * DAY_MS


# A stream whose ids tell no time


def snapshot(now_ms: int = NOW, first: int | None = None, last: int = FUTURE) -> StreamSnapshot:
    return StreamSnapshot(now_ms, "" if first is None else f"{first}-0", f"{last}-0", 0, 0, 0)


@pytest.mark.parametrize("ahead_ms", [-DAY_MS, 0, AHEAD_MS])
def test_ids_about_now_leave_no_trail(ahead_ms: int) -> None:
    assert next_trail(snapshot(last=NOW + ahead_ms), None) is None


def test_first_sight_of_a_waiting_future_id_measures_nothing() -> None:
    trail = next_trail(snapshot(first=FUTURE), None)
    assert measured_until(NOW, f"{FUTURE}-0", trail) == 0


def test_empty_stream_with_future_ids_is_measured_until_now() -> None:
    trail = next_trail(snapshot(), None)
    assert trail is not None
    assert trail.passed_ms == NOW
    assert measured_until(NOW, "", trail) == NOW


def test_later_first_id_measures_until_the_mark() -> None:
    trail = next_trail(snapshot(first=FUTURE), None)
    held = next_trail(snapshot(NOW + 1000, FUTURE, FUTURE + 5), trail)
    passed = next_trail(snapshot(NOW + 2000, FUTURE + 1, FUTURE + 9), held)
    assert held is not None
    assert passed is not None
    assert (held.passed_ms, passed.passed_ms) == (0, NOW)
    assert (passed.mark_ms, passed.mark) == (NOW + 2000, f"{FUTURE + 9}-0")


def test_trail_from_before_a_step_back_is_dropped() -> None:
    trail = next_trail(snapshot(NOW + HOUR_MS), None)
    stepped = next_trail(snapshot(first=FUTURE), trail)
    assert stepped is not None
    assert stepped.passed_ms == 0
    assert stepped.mark_ms == NOW


def test_new_last_id_is_the_time_of_the_last_event() -> None:
    trail = next_trail(snapshot(), None)
    quiet = next_trail(snapshot(NOW + MINUTE_MS), trail)
    heard = next_trail(snapshot(NOW + 2 * MINUTE_MS, last=FUTURE + 1), quiet)
    assert quiet is not None
    assert heard is not None
    assert (quiet.arrived_ms, heard.arrived_ms) == (NOW, NOW + 2 * MINUTE_MS)


def test_trail_is_read_as_it_was_written() -> None:
    trail = Trail(1, 2, HIGHEST_ID, 3, "5-6")
    assert Trail.read(trail.write()) == trail
    assert Trail.read(None) is None


@given(st.lists(st.tuples(st.sampled_from(["arrive", "apply", "sweep"]), st.integers(1, 5000)), max_size=60))
def test_silence_is_never_measured_past_an_unapplied_event(steps: list[tuple[str, int]]) -> None:
    """Ids rise by one from the future on; only the test knows the real arrivals."""
    now, last, waiting, trail = NOW, FUTURE, [], None
    for step, takes_ms in steps:
        now += takes_ms
        if step == "arrive":
            last += 1
            waiting.append((last, now))
        elif step == "apply":
            waiting = waiting[1:]
        else:
            trail = next_trail(snapshot(now, waiting[0][0] if waiting else None, last), trail)
        first = f"{waiting[0][0]}-0" if waiting else ""
        until = measured_until(now, first, trail)
        assert until <= (waiting[0][1] if waiting else now)
    for _ in range(2):
        # All that has arrived is applied, and others arrive: within two sweeps this is detected.
        now, last = now + 1000, last + 1
        applied_at, waiting = now - 1000, [(last, now)]
        trail = next_trail(snapshot(now, last, last), trail)
    assert measured_until(now, f"{last}-0", trail) >= applied_at


# On a server


@pytest.mark.parametrize("kind", AHEAD)
def test_silent_sessions_are_claimed_while_ids_are_ahead(real_state: State, kind: str) -> None:
    happen(real_state, event(customer=JANE), ago_ms=16 * MINUTE_MS)
    poison(real_state, kind)
    assert sweep(deps(real_state)) == NOTHING
    real_state.streams.first.acknowledge([e.id for e in real_state.streams.first.read("c", count=9, block_ms=1)])
    assert sweep(deps(real_state)) == Claimed(1, 1)


def test_unapplied_event_with_a_future_id_holds_all_back(state: State) -> None:
    poison(state)
    ingest = ingest_of(state)
    happen(state, event(customer=JANE), ago_ms=16 * MINUTE_MS)
    publish(state, event(customer=JANE))
    for _ in range(3):
        assert sweep(deps(state)) == NOTHING
    ingest.step()
    assert sweep(deps(state)) == NOTHING
    assert stored(state).silent_since_ms > now_ms(state) - MINUTE_MS


@pytest.mark.parametrize("kind", AHEAD)
def test_ingest_gives_an_emptied_stream_ids_of_now_again(real_state: State, kind: str) -> None:
    poison(real_state, kind)
    ingest_of(real_state).step()
    added = publish_raw(real_state, b'{"session_id": "s-1", "type": "exit"}')
    assert abs(int(added.partition(b"-")[0]) - now_ms(real_state)) < MINUTE_MS
    assert ingest_of(real_state).step() == 1
    assert int(real_state.client.xlen(real_state.keys.events)) == 0


def test_ingest_started_later_puts_ids_back_as_well(real_state: State) -> None:
    poison(real_state, "highest")
    real_state.streams.first.acknowledge([e.id for e in real_state.streams.first.read("c", count=9, block_ms=1)])
    with pytest.raises(Exception, match="exhausted"):
        publish(real_state, event())
    ingest_of(real_state).step()
    publish(real_state, event())
    assert real_state.streams.watermark().first


def test_stream_with_events_is_not_reset(state: State) -> None:
    poison(state)
    assert state.streams.put_back([state.streams.first]) == {}
    assert state.client.xlen(state.keys.events) == 1


def test_stream_with_ids_of_now_is_left_as_it_is(state: State) -> None:
    state.streams.first.create_group()
    publish(state, event())
    state.streams.first.acknowledge([entry.id for entry in state.streams.first.read("c", count=9, block_ms=1)])
    before = state.streams.barrier()
    assert state.streams.put_back([state.streams.first]) == {}
    assert state.streams.barrier() == before


def test_reset_stream_counts_as_active_now(state: State) -> None:
    poison(state)
    ingest_of(state).step()
    assert state.streams.shop_silence(MINUTE_MS) == (False, False)


def test_reset_stream_keeps_its_group(state: State) -> None:
    poison(state)
    state.streams.first.acknowledge([entry.id for entry in state.streams.first.read("c", count=9, block_ms=1)])
    assert state.streams.put_back([state.streams.first])
    publish(state, event())
    assert len(state.streams.first.read("c", count=9, block_ms=1)) == 1


def test_ids_put_back_before_a_sweep_saw_them_are_recorded(state: State) -> None:
    poison(state)
    ingest_of(state).step()
    state.streams.check()
    found = Faults.read(texts(state, state.keys.sweep))
    assert found.ahead_at_ms is not None
    assert now_ms(state) - MINUTE_MS < found.ahead_at_ms <= now_ms(state)
    assert found.ahead_ms > DAY_MS
    assert found.ahead_in == state.keys.events


def test_shop_with_future_ids_can_be_silent(state: State) -> None:
    poison(state)
    state.streams.first.acknowledge([entry.id for entry in state.streams.first.read("c", count=9, block_ms=1)])
    state.streams.check()
    assert state.streams.shop_silence(MINUTE_MS) == (False, False)
    trail = Trail.read(texts(state, state.keys.sweep)["trail.0"])
    assert trail is not None
    older = Trail(trail.passed_ms, trail.mark_ms, trail.mark, trail.arrived_ms - HOUR_MS, trail.last)
    state.client.hset(state.keys.sweep, "trail.0", older.write())
    assert state.streams.shop_silence(MINUTE_MS) == (True, True)


def test_trail_goes_when_ids_are_right_again(state: State) -> None:
    poison(state)
    state.streams.check()
    assert "trail.0" in texts(state, state.keys.sweep)
    ingest_of(state).step()
    state.streams.check()
    assert "trail.0" not in texts(state, state.keys.sweep)


@pytest.mark.parametrize("ahead_ms", [30 * MINUTE_MS, 400 * DAY_MS])
def test_ingest_clamps_by_the_servers_clock(state: State, monkeypatch: pytest.MonkeyPatch, ahead_ms: int) -> None:
    """The clock of its own host is ahead by more than the ids are."""
    monkeypatch.setattr("worker.ingest.reader.time", lambda: now_ms(state) / 1000 + 2 * ahead_ms / 1000)
    state.streams.first.create_group()
    publish_raw(state, b'{"session_id":"s-1","type":"exit"}', at=f"{now_ms(state) + ahead_ms}-0")
    ingest_of(state).step()
    assert stored(state).silent_since_ms <= now_ms(state)
