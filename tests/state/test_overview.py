from pathlib import Path

import pytest

from state import deployment, overview
from state.connection import connect
from state.partition_totals import OutboxTotals
from state.scripts import Scripts
from state.waiting_events import Events
from tests.support.cli_support import cluster, configured, limited_user, make_healthy, read
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import JANE, apply, arrived, event
from tests.support.outreaches import abandon, dispatch, sending, sweep
from tests.support.states import make_state
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


def test_an_empty_server_has_nothing_of_anything(real_state: State) -> None:
    found = read(real_state)

    assert (found.lanes, found.counters.silent, found.counters.outcomes) == ({}, {}, {})
    assert found.outbox == OutboxTotals(0, 0, None, 0, 0, 0)
    assert found.events == Events(1, 0, 0, None, (), 0, None)
    assert set(found.heartbeats.values()) == {()}
    assert (found.swept_ms, found.reopened_ms, found.lag_ms, found.problems, found.deployment) == (
        None,
        None,
        0,
        {},
        {},
    )


def test_sessions_are_counted_by_lane_over_all_partitions(real_state: State) -> None:
    at = now_ms(real_state)
    for number in range(200):
        apply(real_state, arrived(event(session=f"s-{number}", stage="checkout" if number % 4 else "payment"), at))

    assert read(real_state).lanes == {"checkout.web.idle": 150, "payment.web.idle": 50}


def test_sweep_results_are_counted_by_lane_and_outcome(real_state: State) -> None:
    at = now_ms(real_state) - HOUR_MS
    for number in range(30):
        customer = JANE if number < 10 else {}
        apply(real_state, arrived(event(session=f"s-{number}", customer=customer), at))
    sweep(real_state)

    found = read(real_state)

    assert found.lanes == {}
    assert found.counters.silent == {"checkout.web.idle": 30}
    assert found.counters.outcomes == {"unreachable": {"": 20}}
    assert (found.outbox.due, found.outbox.due_now) == (10, 10)


def test_the_outbox_is_counted_place_by_place(real_state: State) -> None:
    held = sending(real_state, "s-unknown")
    real_state.outbox.settle(held, "unknown", reason="timed_out", ambiguous=True)
    held = sending(real_state, "s-dead")
    real_state.outbox.settle(held, "dead", reason="http_400")
    held = sending(real_state, "s-later")
    real_state.outbox.settle(held, "retry", reason="http_503", delay_ms=HOUR_MS)
    abandon(real_state, "s-leased")
    assert len(dispatch(real_state)) == 1
    before = now_ms(real_state)
    abandon(real_state, "s-due", ago_ms=20 * MINUTE_MS)

    found = read(real_state).outbox

    assert (found.due, found.due_now, found.leased, found.dead, found.unknown) == (2, 1, 1, 1, 1)
    assert found.first_due_ms is not None
    assert found.first_due_ms <= before


def test_counters_are_summed_over_the_days_without_zeros(real_state: State) -> None:
    today = now_ms(real_state) // DAY_MS
    for partition, day, field, count in (
        (3, today, "sent", 2),
        (60, today, "sent", 5),
        (3, today - 1, "cancelled.paid", 4),
        (4, today - 1, "unknown.timed_out", 1),
        (5, today, "unknown.timed_out", -1),
        (3, today - 2, "sent", 100),
    ):
        key = real_state.keys.stats(partition, day)
        real_state.client.hset(key, field, count)
        real_state.client.pexpire(key, DAY_MS)

    assert read(real_state, days=2).counters.outcomes == {"sent": {"": 7}, "cancelled": {"paid": 4}}
    assert read(real_state).counters.total("sent") == 7


def test_lag_is_the_age_of_the_first_unapplied_event(real_state: State) -> None:
    real_state.streams.first.create_group()
    at = now_ms(real_state) - 5 * MINUTE_MS
    for number in range(3):
        real_state.client.xadd(real_state.keys.events, {"event": "{}"}, id=f"{at + number}-0")
    real_state.streams.first.read("consumer", count=2, block_ms=100)

    found = read(real_state)

    assert (found.events.waiting, found.events.pending, found.events.oldest_ms) == (3, 2, at)
    assert 5 * MINUTE_MS <= found.lag_ms < 6 * MINUTE_MS


def test_heartbeats_of_today_are_listed_latest_first(real_state: State) -> None:
    deployment.heartbeat(real_state.scripts, real_state.keys, "ingest")
    key = real_state.keys.heartbeat("ingest")
    at = now_ms(real_state)
    real_state.client.hset(key, mapping={"old:1": at - 2 * DAY_MS, "other:1": at - MINUTE_MS})

    found = read(real_state).heartbeats

    assert [beat.process.split(":")[0] for beat in found["ingest"]][1:] == ["other"]
    assert found["sweep"] == ()


def test_reading_needs_no_right_to_write(real_state: State, valkey: EmbeddedValkey) -> None:
    abandon(real_state)
    with limited_user(
        real_state, valkey.url, "+@read", "+evalsha", "+eval", "+time", "+info", "+ping", "+client"
    ) as url:
        client = connect(url)
        found = overview.read(Scripts(client), real_state.keys, ["checkout.web.idle"])
        client.close()

    assert found.outbox.due == 1


def test_a_full_server_can_be_read(real_state: State) -> None:
    abandon(real_state)
    with configured(real_state, maxmemory=1):
        found = read(real_state)

    assert found.outbox.due == 1


def test_a_cluster_is_read_like_a_single_server(tmp_path: Path) -> None:
    with cluster(tmp_path) as port:
        client = connect(f"redis+cluster://127.0.0.1:{port}")
        state = make_state(client, Scripts(client))
        make_healthy(state)
        abandon(state)

        found = read(state)
        client.close()

    assert found.outbox.due == 1
    assert found.counters.silent == {"checkout.web.idle": 1}
    assert all(found.heartbeats.values())
    assert (found.server.used_bytes > 0, found.server.eviction, found.server.append_only) == (True, "noeviction", False)
