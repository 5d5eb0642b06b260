"""One ingest process and several streams: it reads all of them, and loses nothing of any."""

import pytest

from state.event_stream import GROUP, Stream
from tests.support.durations import HOUR_MS
from tests.support.events import event
from tests.support.ingest_support import ingest_of, opened, publish, publish_raw, rest, waiting
from tests.support.stored_state import lanes_of, now_ms, stored
from worker.runtime import State

SEVERAL = 3
LAST = SEVERAL - 1


@pytest.fixture
def streams(state: State) -> list[Stream]:
    """Three streams that no consumer has read."""
    return opened(state, SEVERAL)


def test_one_process_reads_all_of_them(state: State) -> None:
    for place in range(SEVERAL):
        for number in range(4):
            publish(state, event(session=f"s-{place}-{number}"), stream=place)
    ingest = ingest_of(state, stream_count=SEVERAL)
    while waiting(state):
        ingest.step()
    assert ingest.totals.entries == 12
    assert all(stored(state, f"s-{place}-{number}").activity for place in range(SEVERAL) for number in range(4))
    assert [stream.deliveries("one") for stream in state.streams.all()] == [0, 0, 0]


def test_a_session_may_be_spread_over_all_of_them(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    steps = ["product_selection", "cart_review", "checkout", "payment"]
    for number, stage in enumerate(steps):
        made = b'{"session_id": "s-1", "type": "activity", "flow_stage": "%s", "platform": "web"}' % stage.encode()
        publish_raw(state, made, stream=number % SEVERAL, at=f"{at_ms + number * 1000}-0")
    ingest_of(state, stream_count=SEVERAL).step()
    assert list(lanes_of(state)) == ["payment.web.idle"]
    assert waiting(state) == 0


def test_under_load_all_streams_are_read_ahead(state: State) -> None:
    for place in range(SEVERAL):
        publish(state, *(event(session=f"s-{place}-{number}") for number in range(20)), stream=place)
    ingest = ingest_of(state, stream_count=SEVERAL, batch=6)
    ingest.run(lambda: waiting(state) == 0, lambda _: None)
    assert ingest.totals.entries == 60
    assert all(stored(state, f"s-{place}-{number}").activity for place in range(SEVERAL) for number in range(20))


def test_entries_from_before_a_crash_are_applied_in_every_stream(state: State, streams: list[Stream]) -> None:
    for place in range(SEVERAL):
        publish(state, event(session=f"s-{place}"), stream=place)
    assert len(state.streams.read(streams, "one", count=9, block_ms=1)) == SEVERAL
    ingest_of(state, stream_count=SEVERAL).step()
    assert all(stored(state, f"s-{place}").activity for place in range(SEVERAL))
    assert waiting(state) == 0


def test_entries_of_a_dead_consumer_are_claimed_in_every_stream(state: State, streams: list[Stream]) -> None:
    for place in range(SEVERAL):
        publish(state, event(session=f"s-{place}"), stream=place)
    state.streams.read(streams, "dead", count=9, block_ms=1)
    for place in range(SEVERAL):
        rest(state, "dead", stream=place)
    ingest_of(state, consumer="alive", stream_count=SEVERAL).step()
    assert all(stored(state, f"s-{place}").activity for place in range(SEVERAL))
    assert waiting(state) == 0


def test_deleted_group_is_recreated_and_nothing_is_lost(state: State, streams: list[Stream]) -> None:
    ingest = ingest_of(state, stream_count=SEVERAL)
    ingest.step()
    for place in range(SEVERAL):
        publish(state, event(session=f"s-{place}"), stream=place)
    state.client.xgroup_destroy(streams[1].key, GROUP)
    ingest.run(lambda: waiting(state) == 0, lambda _: None)
    assert all(stored(state, f"s-{place}").activity for place in range(SEVERAL))


def test_process_learns_of_more_streams_from_the_record(state: State) -> None:
    ingest = ingest_of(state)
    ingest.step()
    state.streams.ensure(SEVERAL)
    publish(state, event(), stream=LAST)
    ingest.step()
    assert not stored(state).activity
    ingest._recovery._checked_at_s = 0.0  # it checks periodically
    ingest.step()
    assert stored(state).activity


@pytest.mark.xdist_group("valkey")
def test_stream_number_is_recorded_again_after_a_data_loss(real_state: State) -> None:
    state = real_state
    ingest = ingest_of(state, stream_count=SEVERAL)
    ingest.step()
    state.client.flushall()
    publish(state, event(), stream=LAST)
    ingest.run(lambda: bool(stored(state).activity), lambda _: None)
    assert len(state.streams.all()) == SEVERAL
