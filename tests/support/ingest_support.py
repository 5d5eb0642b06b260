"""Ingest processes for the tests: with failing parts, and restarted as by a supervisor."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from detectors.sequence import RANK_NAMES
from state.errors import StateError
from state.event_stream import GROUP, Stream, StreamBatch, StreamEntry
from state.pending import Pending
from state.people import PersonFacts, person_of
from state.script import NamedCall
from state.sessions import Change, Mark, Sessions
from tests.support.durations import HOUR_MS
from tests.support.events import Event
from tests.support.states import SECRET
from worker.ingest.consumer import Ingest
from worker.ingest.in_flight import Reached
from worker.runtime import State
from worker.settings.sections import IngestSettings


class Breaking:
    """A part of the state with one method that fails some times, before or after its work.

    `waited`: the method's result fails when it is called. `spared`: how many calls work before the first failure.
    """

    def __init__(
        self,
        part: object,
        method: str,
        error: type[StateError],
        *,
        times: int,
        after: bool = False,
        waited: bool = False,
        spared: int = 0,
    ) -> None:
        self._part, self._method, self._error, self._after, self._waited = part, method, error, after, waited
        self._spared, self._left = spared, times

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        found = getattr(self._part, name)
        return self._failing(found) if name == self._method else found

    def _failing(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            if self._spared or self._left == 0:
                self._spared = max(0, self._spared - 1)
                return method(*args, **named)
            self._left -= 1
            done = method(*args, **named) if self._after else None
            return Pending(partial(self._fail, done)) if self._waited else self._fail()

        return call

    def _fail(self, wait: object = None) -> object:
        if isinstance(wait, Pending):
            wait.result()
        raise self._error("a failure of the test")


class Stubborn(Sessions):
    """Fails whenever the session `poison` is applied, like a script with a bug."""

    def __init__(self, state: State) -> None:
        super().__init__(state.scripts, state.keys, RANK_NAMES)

    def send(self, changes: Sequence[Change], also: Sequence[NamedCall] = ()) -> Pending[list[Mark]]:
        if any(change.session_id == "poison" for change in changes):
            raise StateError("the state server refused a command: a bug")
        return super().send(changes, also)


def ingest_of(
    state: State,
    *,
    consumer: str = "one",
    heartbeat: Callable[[], None] = lambda: None,
    streams: Any = None,  # noqa: ANN401 - a part, or one that fails
    sessions: Any = None,  # noqa: ANN401 - as above
    people: Any = None,  # noqa: ANN401 - as above
    attribution: Any = None,  # noqa: ANN401 - as above
    stream_count: int = 1,
    reached: Reached = lambda _: None,
    **settings: Any,  # noqa: ANN401 - of the section
) -> Ingest:
    """Return one ingest process for `stream_count` streams; it doesn't wait for events."""
    parts = replace(
        state,
        streams=streams or state.streams,
        sessions=sessions or state.sessions,
        people=people or state.people,
        attribution=attribution or state.attribution,
        secret=SECRET,
    )
    found = IngestSettings(read_timeout=timedelta(milliseconds=100), streams=stream_count, **settings)
    ingest = Ingest(parts, found, consumer=consumer, heartbeat=heartbeat, reached=reached)
    ingest._reader._block_ms = 1
    return ingest


def restart_until_done(state: State, sessions: Sessions, **settings: Any) -> int:  # noqa: ANN401 - of the section
    """Restart the process each time it crashes, until nothing waits; return how often."""
    for restarts in range(100):
        ingest = ingest_of(state, sessions=sessions, **settings)
        try:
            while waiting(state):
                ingest.step()
        except StateError:
            continue
        return restarts
    raise AssertionError("it never came to an end")


def process(state: State, *entries: StreamEntry) -> None:
    """Apply entries of the first stream, as if they had been delivered."""
    ingest_of(state).process(StreamBatch(state.streams.first, entries))


def opened(state: State, stream_count: int) -> list[Stream]:
    """Return this many streams, each with its group."""
    found = state.streams.ensure(stream_count)
    for stream in found:
        stream.create_group()
    return found


def publish(state: State, *events: Event, stream: int = 0) -> None:
    """Put events into a stream as a shop does."""
    for made in events:
        publish_raw(state, json.dumps(made).encode(), stream=stream)


def publish_raw(state: State, raw: bytes, *, stream: int = 0, at: str = "*") -> bytes:
    """Put an event into a stream and return the id of its entry, which can be given."""
    added: bytes = state.scripts.client.execute_command("XADD", state.keys.events_of(stream), at, "event", raw)
    return added


def rest(state: State, consumer: str, *, stream: int = 0) -> None:
    """Make a consumer's pending entries look idle for an hour."""
    client: Any = state.client
    key = state.keys.events_of(stream)
    for found in client.xpending_range(key, GROUP, "-", "+", 1000, consumer):
        client.xclaim(key, GROUP, consumer, 0, [found["message_id"]], idle=HOUR_MS, justid=True)


def waiting(state: State) -> int:
    """Return how many entries aren't acknowledged, in all streams."""
    client: Any = state.client
    return sum(int(client.xlen(stream.key)) for stream in state.streams.all())


def rejected(state: State) -> list[tuple[str, str, bool]]:
    """Return field and reason of rejected entries, and whether the rest of the event was applied."""
    client: Any = state.client
    found = client.xrange(state.keys.rejected)
    return [(fields[b"field"].decode(), fields[b"reason"].decode(), fields[b"applied"] == b"1") for _, fields in found]


def facts_of(state: State, phone: str) -> PersonFacts:
    """Return the facts about a person without the sessions."""
    return replace(state.people.person_facts(person_of(phone, SECRET)), sessions=())
