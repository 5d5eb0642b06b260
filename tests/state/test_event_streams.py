"""Several streams of activity: no session is silent, and no person contacted, before all of them are applied."""

from typing import Any

import pytest

from state.calls.streams import WatermarkReply
from state.event_stream import GROUP, GroupMissingError, Stream, StreamBatch
from state.event_streams import Streams
from state.script import Call
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tasks.deps import Deps
from tasks.dispatch import dispatch
from tasks.sweep import sweep
from tests.support import cli_support
from tests.support.attempts import deps_of, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.ingest_support import ingest_of, opened, publish, publish_raw
from tests.support.outreaches import abandon
from tests.support.stored_state import now_ms, record
from worker.runtime import State

SEVERAL = 3
LAST = SEVERAL - 1


@pytest.fixture
def streams(state: State) -> list[Stream]:
    """Three unread streams."""
    return opened(state, SEVERAL)


def read(state: State, streams: list[Stream], count: int = 9, turn: int = 0) -> list[tuple[str, int]]:
    """Read as consumer `one`; return how many entries came from which stream."""
    found = state.streams.read(streams, "one", count=count, block_ms=1, turn=turn)
    return [(stream.key, len(entries)) for stream, entries in found]


# How many there are


def test_there_is_one_stream_until_more_are_registered(state: State) -> None:
    assert [stream.key for stream in state.streams.all()] == [state.keys.events]
    assert [stream.key for stream in state.streams.ensure(1)] == [state.keys.events]
    assert not state.client.exists(state.keys.deployment)


def test_there_are_never_fewer_than_there_once_were(state: State) -> None:
    keys = ["winback:events", "winback:events:1", "winback:events:2"]
    assert [stream.key for stream in state.streams.ensure(3)] == keys
    assert [stream.key for stream in state.streams.ensure(2)] == keys
    assert [stream.key for stream in state.streams.all()] == keys
    assert len(state.streams.ensure(10)) == len(state.streams.all()) == 10


def test_configured_streams_are_read_while_the_record_is_lost(state: State) -> None:
    told = Streams(state.scripts, state.keys, at_least=2)
    assert len(told.all()) == 2
    state.streams.ensure(3)
    assert len(told.all()) == 3


# Reading and acknowledging


def test_all_are_read_at_once_each_for_its_share_of_a_batch(state: State, streams: list[Stream]) -> None:
    for place in (0, 2):
        for _ in range(5):
            publish(state, event(), stream=place)
    assert read(state, streams) == [(streams[0].key, 3), (streams[2].key, 3)]
    assert read(state, streams, count=1) == [(streams[0].key, 1), (streams[2].key, 1)]
    assert read(state, streams) == [(streams[0].key, 1), (streams[2].key, 1)]
    assert read(state, streams) == []


@pytest.mark.xdist_group("valkey")
def test_when_all_are_empty_each_is_waited_at_in_its_turn(real_state: State) -> None:
    streams = opened(real_state, SEVERAL)

    class Noting:
        """Asks the server, and records the stream on which it blocks."""

        def __init__(self) -> None:
            self.waited: list[str] = []

        def execute_command(self, *words: Any) -> object:  # noqa: ANN401 - of any command
            if "BLOCK" in words:
                self.waited.append(words[-2])
                assert words[words.index("BLOCK") + 1] <= 100
            return real_state.scripts.client.execute_command(*words)

    noting = Noting()
    for stream in streams:
        stream._scripts = type("Scripts", (), {"client": noting})()
    for turn in range(4):
        assert real_state.streams.read(streams, "one", count=9, block_ms=2000, turn=turn) == []
    assert noting.waited == [streams[place].key for place in (0, 1, 2, 0)]


def test_missing_group_of_any_stream_is_reported(state: State, streams: list[Stream]) -> None:
    state.client.xgroup_destroy(streams[LAST].key, GROUP)
    publish(state, event())
    with pytest.raises(GroupMissingError):
        read(state, streams)
    assert streams[0].deliveries("one") == 1


def test_entries_with_the_same_id_in_two_streams_are_two_entries(state: State, streams: list[Stream]) -> None:
    for place in (0, 1):
        publish_raw(state, b"{}", stream=place, at="5-5")
    first, _ = state.streams.read(streams, "one", count=9, block_ms=1)
    assert state.streams.send_acknowledge([first], one_read=True).result() == [1]
    assert [state.client.xlen(stream.key) for stream in streams] == [0, 1, 0]
    assert [stream.deliveries("one") for stream in streams] == [0, 1, 0]


def test_entries_of_several_streams_are_acknowledged_in_each(state: State, streams: list[Stream]) -> None:
    for place in range(SEVERAL):
        publish(state, event(), event(), stream=place)
    read(state, streams, count=3)
    readings = [StreamBatch(stream, stream.read_pending("one", count=9)) for stream in streams]
    assert state.streams.send_acknowledge(readings, one_read=True).result() == [1, 1, 1]
    assert [state.client.xlen(stream.key) for stream in streams] == [1, 1, 1]
    assert [stream.deliveries("one") for stream in streams] == [0, 0, 0]


# How far silence can be measured


def test_the_first_entry_of_any_stream_holds_the_watermark(state: State, streams: list[Stream]) -> None:
    assert state.streams.watermark().first == ""
    at_ms = now_ms(state) - HOUR_MS
    publish_raw(state, b"{}", stream=1, at=f"{at_ms + 9}-0")
    publish_raw(state, b"{}", stream=2, at=f"{at_ms}-10")
    publish_raw(state, b"{}", stream=0, at=f"{at_ms + 10}-0")
    mark = state.streams.watermark()
    assert (mark.first, mark.until_ms) == (f"{at_ms}-10", at_ms)
    state.client.xdel(streams[2].key, mark.first)
    assert state.streams.watermark().first == f"{at_ms + 9}-0"


@pytest.mark.usefixtures("streams")
def test_of_several_clocks_the_one_that_is_behind_counts(state: State) -> None:
    clocks = iter([2000, 1000, 3000])

    class Drifting:
        client = state.client

        def run_many(self, calls: list[Call[WatermarkReply]]) -> list[WatermarkReply]:
            assert {call.name for call in calls} == {"watermark"}
            return [WatermarkReply(next(clocks), "") for _ in calls]

    state.streams._scripts = Drifting()  # type: ignore[assignment] # all that it uses
    assert state.streams.watermark().now_ms == 1000


@pytest.mark.usefixtures("streams")
def test_event_in_any_stream_ends_the_shop_silence(state: State) -> None:
    publish_raw(state, b"{}", at=f"{now_ms(state) - HOUR_MS}-0")
    assert state.streams.shop_silence(MINUTE_MS) == (True, True)
    publish_raw(state, b"{}", stream=1)
    assert state.streams.shop_silence(MINUTE_MS) == (False, True)


def test_no_session_is_silent_while_a_stream_holds_its_events(state: State, streams: list[Stream]) -> None:
    happen(state, event(customer=JANE), ago_ms=20 * MINUTE_MS)
    unread = publish_raw(state, b"{}", stream=LAST, at=f"{now_ms(state) - 6 * MINUTE_MS}-0")
    assert sweep(deps_of(state)).outreaches == 0
    state.client.xdel(streams[LAST].key, unread)
    assert sweep(deps_of(state)).outreaches == 1


# I3: what had arrived at dispatch, in any stream, is applied before any contact


def dispatched(deps: Deps) -> list[str]:
    enqueued: list[str] = []
    dispatch(deps, queued=lambda: 0, enqueue=enqueued.extend)
    return enqueued


@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("place", range(SEVERAL))
def test_return_in_any_stream_prevents_the_contact(state: State, place: int) -> None:
    outreach = abandon(state)
    publish(state, event(stage="payment"), stream=place)
    with yuno(state) as (deps, server):
        assert dispatched(deps) == [outreach]
        noted = record(state, outreach)["barrier"]
        assert [last != "0-0" for last in noted.split(" ")] == [number == place for number in range(SEVERAL)]
        assert not state.streams.barrier_passed(noted)
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "postponed", "ingest_behind")
        ingest_of(state).step()
        assert state.streams.barrier_passed(noted)
        assert record(state, outreach)["state"] == "cancelled"
        assert server.requests == []


def test_events_after_the_dispatch_are_not_waited_for(state: State, streams: list[Stream]) -> None:
    outreach = abandon(state)
    with yuno(state) as (deps, server):
        assert dispatched(deps) == [outreach]
        for place in range(len(streams)):
            publish(state, event(session="other"), stream=place)
        assert attempt(outreach, deps).outcome == "sent"
        assert len(server.requests) == 1


def test_outreach_dispatched_with_fewer_streams_waits_for_those(state: State) -> None:
    publish(state, event(session="other"))
    noted = state.streams.barrier()
    state.streams.ensure(SEVERAL)
    publish(state, event(session="other"), stream=LAST)
    assert not state.streams.barrier_passed(noted)
    state.client.xtrim(state.keys.events, 0)
    assert state.streams.barrier_passed(noted)
    assert not state.streams.barrier_passed(state.streams.barrier())


# Observers


@pytest.mark.xdist_group("valkey")
def test_an_overview_counts_all_of_them(real_state: State) -> None:
    state, streams = real_state, opened(real_state, SEVERAL)
    at_ms = now_ms(state) - MINUTE_MS
    for place in range(SEVERAL):
        publish_raw(state, b"{}", stream=place, at=f"{at_ms - place}-0")
        publish(state, event(), stream=place)
    streams[1].read("one", count=1, block_ms=1)
    found = cli_support.read(state).events
    assert (found.streams, found.waiting, found.pending, found.oldest_ms) == (SEVERAL, 6, 1, at_ms - LAST)
