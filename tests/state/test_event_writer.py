"""Events are written in one round trip, each into the stream of its session."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from state.collectors import Collectors, Figures
from state.connection import connect
from state.errors import StateError
from state.event_writer import EventWriter, stream_of
from state.scripts import Scripts
from tests.support.cluster_nodes import three_nodes
from tests.support.states import make_state
from worker.runtime import State


def written(number: int) -> bytes:
    return json.dumps({"session_id": f"s-{number}", "type": "exit"}).encode()


def streamed(client: Any, key: str) -> list[bytes]:  # noqa: ANN401 - a client
    return [fields[b"event"] for _, fields in client.xrange(key)]


def test_events_of_one_stream_keep_their_order(state: State) -> None:
    events = [written(number) for number in range(50)]
    EventWriter(state.scripts, state.keys).write(events, 1)
    assert streamed(state.client, state.keys.events) == events


def test_session_decides_the_stream(state: State) -> None:
    events = [written(number) for number in range(50)]
    EventWriter(state.scripts, state.keys).write(events, 3)
    for stream in range(3):
        expected = [written(number) for number in range(50) if crc32(f"s-{number}".encode()) % 3 == stream]
        assert streamed(state.client, state.keys.events_of(stream)) == expected


@pytest.mark.parametrize("event", [b"{}", b"[]", b"broken", b'{"session_id": null}'])
def test_event_without_a_session_has_a_stream(event: bytes) -> None:
    assert stream_of(event, 3) == 0


def test_number_as_session_id_counts_as_its_text() -> None:
    assert stream_of(b'{"session_id": 17}', 64) == crc32(b"17") % 64


def test_nothing_is_written_without_events(state: State) -> None:
    EventWriter(state.scripts, state.keys).write([], 1)
    assert not state.client.exists(state.keys.events)


def test_refused_event_raises_an_error(state: State) -> None:
    state.client.set(state.keys.events, "no stream", px=60_000)
    with pytest.raises(StateError, match="refused a command"):
        EventWriter(state.scripts, state.keys).write([written(1)], 1)


@pytest.mark.xdist_group("valkey")
def test_streams_on_several_nodes_are_written(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as cluster, closing(connect(cluster.url)) as client:
        state = make_state(client, Scripts(client))
        events = [written(number) for number in range(50)]
        EventWriter(state.scripts, state.keys).write(events, 3)
        found = [event for stream in range(3) for event in streamed(state.client, state.keys.events_of(stream))]
        assert sorted(found) == sorted(events)
        collectors = Collectors(state.scripts, state.keys)
        told_ms = collectors.sign("a", collectors.sign("a", 0, Figures()) - 60_000, Figures())
        assert state.streams.watermark().until_ms == collectors.marks()[0].until_ms < told_ms
