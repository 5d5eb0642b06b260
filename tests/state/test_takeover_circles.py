"""Sessions that supersede each other, at once or repeatedly: none is lost, no contact counts twice."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.session_record import Session
from tests.support.durations import MINUTE_MS
from tests.support.events import JANE, Event, event
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import sweep
from tests.support.partitions import same_partition
from tests.support.stored_state import lanes_of, now_ms, record, stored
from worker.runtime import State

NAMES = ("a", "b", "c")
Takeover = tuple[str, str, int]
"""The later session, the earlier one, and when (ms after the first)."""


def ingest(state: State, *events: Event) -> None:
    publish(state, *events)
    ingest_of(state).step()


def taking_over(began_ms: int, takeovers: Sequence[Takeover]) -> list[Event]:
    return [
        event(session=new, previous_session_id=old, customer=JANE, occurred_at=(began_ms + after_ms) / 1000)
        for new, old, after_ms in takeovers
    ]


def end_of(state: State, session: Session) -> Session:
    """Follow the superseding sessions."""
    for _ in NAMES:
        if session.state != "superseded":
            return session
        session = stored(state, session.superseded_by)
    raise AssertionError(f"all of them have moved, from {session.session_id} in a circle")


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_mutual_takeover_in_one_millisecond_leaves_one(
    state: State, names: tuple[str, str], *, one_by_one: bool
) -> None:
    one, other = names
    events = taking_over(now_ms(state) - MINUTE_MS, [(one, other, 0), (other, one, 0)])
    for batch in [[made] for made in events] if one_by_one else [events]:
        ingest(state, *batch)
    for _ in range(2):
        assert {name: stored(state, name).state for name in "ab"} == {"a": "waiting", "b": "superseded"}
        ingest(state, *events)
    assert sweep(state, silent_for_ms=1000) == 1


def test_session_that_stays_is_not_called_off_by_repeated_events(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    events = taking_over(began_ms, [("a", "b", 0), ("b", "a", 0)])
    ingest(state, *events)
    assert sweep(state, silent_for_ms=1000) == 1
    outreach = stored(state, "a").outreach
    for _ in range(2):
        ingest(state, *events)
        assert record(state, outreach)["state"] == "waiting"
        assert stored(state, "a").state == "abandoned"
    ingest(state, event(session="a", customer=JANE, occurred_at=(began_ms - 1) / 1000))
    assert stored(state, "a").state == "abandoned"


def test_only_a_session_that_has_moved_stays(state: State) -> None:
    ingest(state, event(session="a", customer=JANE, occurred_at=(now_ms(state) - MINUTE_MS) / 1000))
    assert sweep(state, silent_for_ms=1000) == 1
    assert not state.sessions.break_circle(["b", "a"])
    assert stored(state, "a").state == "abandoned"


def test_session_that_stays_is_silent_since_its_last_event(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    ingest(state, *taking_over(began_ms, [("a", "b", 0), ("b", "a", 0)]))
    assert list(lanes_of(state, "a").values()) == [stored(state, "a").silent_since_ms]


takeovers = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 2))


@given(st.lists(takeovers.filter(lambda one: one[0] != one[1]), min_size=1, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_takeovers_in_any_order_lose_no_session(real_state: State, made: list[Takeover]) -> None:
    state = real_state
    began_ms = now_ms(state) - MINUTE_MS
    for order in [made, made[::-1]]:
        state.client.flushall()
        state.streams.first.create_group()
        for one in taking_over(began_ms, [*order, *order]):
            ingest(state, one)
        named = {name for new, old, _ in made for name in (new, old)}
        found = {name: stored(state, name) for name in sorted(named)}
        for session in found.values():
            end_of(state, session)


def test_takeover_by_two_in_one_millisecond_has_one_end(state: State) -> None:
    ends = []
    made = taking_over(now_ms(state) - MINUTE_MS, [("b", "a", 1), ("c", "a", 1)])
    for order in permutations(made):
        state.client.flushall()
        state.streams.first.create_group()
        for one in order:
            ingest(state, one)
        ends.append(stored(state, "a").superseded_by)
    assert ends[0] == ends[1]


def test_last_takeover_of_a_batch_counts_in_any_order(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    later, earlier = taking_over(began_ms, [("new", "old", 5), ("new", "old", 1)])
    ingest(state, event(session="old", customer=JANE, occurred_at=(began_ms + 3) / 1000), later, earlier)
    assert stored(state, "old").state == "superseded"


def test_contacts_count_once_however_often_sessions_change(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    ingest(state, event(session="a", customer=JANE, occurred_at=(began_ms - 1) / 1000))
    state.client.hset(state.keys.session("a"), "contacts", 1)
    for turn in range(0, 10, 2):
        ingest(state, *taking_over(began_ms, [("b", "a", turn)]))
        ingest(state, *taking_over(began_ms, [("a", "b", turn + 1)]))
        assert [stored(state, name).contacts for name in "ab"] == [1, 1]
    state.client.hset(state.keys.session("b"), "contacts", 2)
    ingest(state, *taking_over(began_ms, [("a", "b", 11), ("c", "a", 12), ("b", "c", 13)]))
    assert [stored(state, name).contacts for name in "abc"] == [3, 3, 3]


def test_contacts_of_several_earlier_sessions_add_up(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    for name in same_partition("a", 3):
        state.client.hset(state.keys.session(name), "contacts", 1)
        state.client.expire(state.keys.session(name), 1000)
        ingest(state, *taking_over(began_ms, [("new", name, 0)]))
    assert stored(state, "new").contacts == 3


def test_contacts_that_an_earlier_version_counted_stay(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    ingest(state, event(session="a", customer=JANE, occurred_at=(began_ms - 1) / 1000))
    state.client.hset(state.keys.session("a"), mapping={"contacts": 1, "contacts_before": 2})
    assert stored(state, "a").contacts == 3
    state.client.hset(state.keys.session("b"), "contacts_before", 4)
    state.client.expire(state.keys.session("b"), 1000)
    ingest(state, *taking_over(began_ms, [("b", "a", 0)]))
    assert stored(state, "b").contacts == 1 + 4


def test_contacts_never_become_fewer(state: State) -> None:
    began_ms = now_ms(state) - MINUTE_MS
    ingest(state, event(session="a", customer=JANE, occurred_at=(began_ms - 1) / 1000))
    for made in (2, 1):
        state.client.hset(state.keys.session("a"), "contacts", made)
        ingest(state, *taking_over(began_ms, [("b", "a", 0)]))
    assert stored(state, "b").contacts == 2
