"""How much one sweep takes and reads, and two concurrent sweeps."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from detectors.sequence import RANK_NAMES
from detectors.session_fields import REQUIRED
from state.calls import sessions as lua
from state.keys import SESSION_TTL_MS
from state.partitions import PARTITIONS, partition_of
from state.scripts import Scripts
from state.session_record import RANK_WIDTH
from tests.support.durations import HOUR_MS, SECOND_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.outreaches import MAX_AGE_MS, abandon, cut_offs, dispatch, sweep, take
from tests.support.partitions import same_partition
from tests.support.passing_time import let_backoff_pass
from tests.support.states import make_state
from tests.support.stored_state import now_ms, record, stored, ttl_ms
from worker.runtime import State


def claim(state: State, before_ms: int, **more: Any) -> int:  # noqa: ANN401 - settings of claim
    options: dict[str, Any] = {"max_age_ms": MAX_AGE_MS, "required": REQUIRED} | more
    return state.sessions.claim(cut_offs(before_ms), **options).sessions


def test_a_limit_bounds_one_call_and_not_the_sweep(state: State) -> None:
    happened_ms = now_ms(state) - HOUR_MS
    sessions = [*same_partition("s-1", 7), *(f"x-{number}" for number in range(5))]
    events = (event(session=session, customer=JANE) for session in sessions)
    apply(state, *(arrived(made, happened_ms) for made in events))
    claimed = state.sessions.claim(cut_offs(happened_ms), max_age_ms=MAX_AGE_MS, required=REQUIRED, limit=2)
    assert (claimed.sessions, claimed.outreaches) == (12, 12)
    assert {stored(state, session).state for session in sessions} == {"abandoned"}
    assert len({stored(state, session).outreach for session in sessions}) == 12


def test_a_limit_spans_the_lanes_of_a_partition(state: State) -> None:
    stages = ("product_selection", "cart_review", "checkout", "payment")
    for session, stage in zip(same_partition("s-1", 4), stages, strict=True):
        happen(state, event(session=session, stage=stage, customer=JANE), ago_ms=HOUR_MS)
    assert claim(state, now_ms(state), limit=3) == 4


def test_one_script_call_takes_no_more_than_its_limit(state: State) -> None:
    for number, session in enumerate(same_partition("s-1", 5)):
        happen(state, event(session=session, stage="checkout" if number == 0 else "payment"), ago_ms=HOUR_MS)
    lane = {"before_ms": now_ms(state), "wait_ms": 0, "reason": "", "measure_from_expiry": False, "checked_ms": 0}
    lanes = json.dumps([lane | {"name": name} for name in ("checkout.web.idle", "payment.web.idle")])
    prefix, ranks = state.keys.partition(partition_of("s-1")), "".join(name.ljust(RANK_WIDTH) for name in RANK_NAMES)
    call = lua.claim(prefix, 2, MAX_AGE_MS, lanes, "00-000000000000", ranks.encode())
    replies = [state.scripts.run(call) for _ in range(3)]
    assert [(reply.looked, reply.taken) for reply in replies] == [(2, 2), (2, 2), (1, 1)]


def test_event_after_the_claim_does_not_extend_the_silence(state: State) -> None:
    outreach = abandon(state)
    assert sweep(state) == 0
    assert stored(state).outreach == outreach


def test_a_later_silence_is_a_new_outreach(state: State) -> None:
    first = abandon(state, ago_ms=2 * HOUR_MS)
    second = abandon(state, ago_ms=HOUR_MS)
    assert second != first
    assert record(state, first)["state"] == "cancelled"
    assert record(state, second)["state"] == "waiting"
    assert stored(state).outreach == second


def test_a_session_lives_without_end_while_its_outreach_is_open(state: State) -> None:
    outreach = abandon(state)
    key = state.keys.session("s-1")
    assert ttl_ms(state, key) is None
    dispatch(state)
    held = take(state, outreach)
    assert ttl_ms(state, key) is None
    state.outbox.postpone(held, delay_ms=SECOND_MS, why="quiet_hours")
    assert ttl_ms(state, key) is None
    let_backoff_pass(state, outreach)
    dispatch(state)
    assert state.outbox.end_unsent(take(state, outreach), "suppressed", "no_cart") == "suppressed"
    left = ttl_ms(state, key)
    assert left is not None
    assert left <= SESSION_TTL_MS


def test_all_partitions_are_swept(state: State) -> None:
    sessions: dict[int, str] = {}
    number = 0
    while len(sessions) < PARTITIONS:
        sessions.setdefault(partition_of(f"s-{number}"), f"s-{number}")
        number += 1
    at_ms = now_ms(state) - HOUR_MS
    apply(state, *(arrived(event(session=session, customer=JANE), at_ms) for session in sessions.values()))
    assert sweep(state) == PARTITIONS
    assert len(dispatch(state)) == PARTITIONS


@pytest.mark.xdist_group("valkey")
def test_two_sweeps_at_once_claim_disjoint_sessions(real_state: State) -> None:
    state, number, sweeps = real_state, 600, 4
    at_ms = now_ms(state) - HOUR_MS
    apply(state, *(arrived(event(session=f"s-{n}", customer=JANE), at_ms) for n in range(number)))
    start = Barrier(sweeps)

    def one_sweep(_: int) -> int:
        mine = make_state(state.client, Scripts(state.client))
        start.wait()
        return claim(mine, at_ms, limit=3)

    with ThreadPoolExecutor(sweeps) as pool:
        claimed = list(pool.map(one_sweep, range(sweeps)))
    assert sum(claimed) == number
    outreaches = {stored(state, f"s-{n}").outreach for n in range(number)}
    assert len(outreaches) == number == len(list(state.client.scan_iter("*:outreach:*", count=10_000)))


@pytest.mark.xdist_group("valkey")
def test_sweep_without_due_sessions_reads_only_lane_heads(real_state: State) -> None:
    state = real_state
    at_ms = now_ms(state)
    apply(state, *(arrived(event(session=f"s-{n}", customer=JANE), at_ms) for n in range(2000)))
    claim(state, at_ms - HOUR_MS)
    state.client.config_resetstat()
    assert claim(state, at_ms - HOUR_MS) == 0
    stats = {name.removeprefix("cmdstat_") for name in state.client.info("commandstats")}
    assert stats - {"config|resetstat", "info"} == {"evalsha", "time", "zrange"}
