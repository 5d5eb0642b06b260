"""The counters of the event flow."""

from collections import Counter
from typing import Any

from state.event_flow import MINUTE_MS, EventFlow, FlowCounts, count_events, count_silent, read_event_flow
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.stored_state import now_ms, ttl_ms
from worker.runtime import State


def count(state: State, *, ago_ms: int = 0, names: Any = None, **counters: int) -> None:  # noqa: ANN401 - counters
    at_ms = now_ms(state) - ago_ms
    found = FlowCounts(at_ms, {at_ms // MINUTE_MS: Counter(counters)}, Counter(names or {}))
    state.scripts.run(count_events(state.keys, found))


def flow(state: State) -> EventFlow:
    return read_event_flow(state.scripts.client, state.keys, now_ms(state))


def test_flow_without_events_has_no_last_arrival(state: State) -> None:
    assert flow(state) == EventFlow()


def test_counts_of_several_processes_add_up(state: State) -> None:
    for _ in range(2):
        count(state, **{"type.activity.checkout": 3, "type.exit": 1, "rejected": 2})
    found = flow(state)
    assert found.events == 12
    assert found.by_type(found.recent) == {"activity.checkout": 6, "exit": 2}


def test_only_the_last_minutes_count_as_recent(state: State) -> None:
    count(state, ago_ms=10 * MINUTE_MS, rejected=1)
    count(state, ago_ms=61 * MINUTE_MS, rejected=5)
    assert (flow(state).hour, flow(state).recent) == ({"rejected": 1}, {})


def test_last_arrival_is_the_latest_of_all_batches(state: State) -> None:
    count(state, ago_ms=1_000)
    last_ms = flow(state).last_ms
    count(state, ago_ms=60_000)
    assert flow(state).last_ms == last_ms


def test_arrival_from_the_future_gives_way_to_now(state: State) -> None:
    state.client.hset(state.keys.flow, "last", now_ms(state) + HOUR_MS)
    count(state)
    assert int(state.client.hget(state.keys.flow, "last") or 0) <= now_ms(state)


def test_minute_of_the_future_counts_as_now(state: State) -> None:
    count(state, ago_ms=-HOUR_MS, rejected=1)
    assert flow(state).recent == {"rejected": 1}


def test_names_beyond_a_hundred_count_as_others(state: State) -> None:
    count(state, names={f"name_{letter}{other}": 1 for letter in "abcdefghijk" for other in "abcdefghij"})
    count(state, names={"name_aa": 4})
    names = flow(state).names
    assert (len(names), names["name_aa"], names[""]) == (101, 5, 10)


def test_usual_share_leaves_out_the_last_hour(state: State) -> None:
    state.client.hset(f"{state.keys.flow}:day:{now_ms(state) // DAY_MS}", mapping={"silent": 90, "unreachable": 9})
    state.scripts.run(count_silent(state.keys, 10, 5))
    found = flow(state)
    assert (found.hour["silent"], found.hour["unreachable"]) == (10, 5)
    assert (found.usual_silent, found.usual_unreachable) == (90, 9)


def test_every_key_of_the_flow_has_a_ttl(state: State) -> None:
    count(state, names={"custmer": 1}, rejected=1)
    state.scripts.run(count_silent(state.keys, 1, 0))
    keys = [key.decode() for key in state.client.scan_iter(f"{state.keys.flow}*")]
    assert len(keys) == 4
    assert all(ttl_ms(state, key) for key in keys)
