"""Follows the streams of activity as a bystander: reads entries without taking them from ingest."""

from collections.abc import Iterator, Sequence
from queue import Empty, Queue
from threading import Event, Thread

from state.calls import streams as lua
from state.event_stream import Stream, StreamEntry, entries_of, entry_of, entry_order
from state.keys import applied_of
from state.scripts import Scripts
from state.server_errors import driver_errors

_BLOCK_MS = 500
_COUNT = 500
_MOST_QUEUED = 10_000
WAIT_S = 0.2


class Follower:
    """Follows streams from now on. Ingest deletes what it has applied, so a busy stream can outrun a follower.

    One thread reads each stream. Use it as an iterator; it yields None periodically while no event arrives.
    """

    def __init__(self, scripts: Scripts, streams: Sequence[Stream], *, last: int = 0) -> None:
        """`last`: begin with this number of entries that arrived before, as far as they aren't applied yet.

        Raises:
            StateError: the server doesn't answer.
        """
        self._scripts = scripts
        self._streams = streams
        self._found: Queue[StreamEntry | Exception] = Queue(_MOST_QUEUED)
        self._stopped = Event()
        self._seen = 0
        started = [scripts.run(lua.stream_snapshot(stream.key, applied_of(stream.key))) for stream in streams]
        self._added = sum(one.added for one in started)
        self._after = [scripts.run(lua.last_id(stream.key)) for stream in streams]
        # What came between these two calls is among neither the earlier entries nor the later ones.
        earlier = [
            entry
            for stream, after in zip(streams, self._after, strict=True)
            for entry in self._last(stream, after, last)
        ]
        self._earlier = sorted(earlier, key=lambda entry: entry_order(entry.id.decode()))[-last:] if last else []

    def __iter__(self) -> Iterator[StreamEntry | None]:
        """Yield entries as they arrive.

        Raises:
            StateError: the server doesn't answer any more.
        """
        yield from self._earlier
        for stream, after in zip(self._streams, self._after, strict=True):
            Thread(target=self._follow, args=(stream, after), name="follow", daemon=True).start()
        while not self._stopped.is_set():
            try:
                found = self._found.get(timeout=WAIT_S)
            except Empty:
                yield None
                continue
            if isinstance(found, Exception):
                raise found
            self._seen += 1
            yield found

    def stop(self) -> None:
        """End the threads after their current read."""
        self._stopped.set()

    def missed(self) -> int:
        """Return how many events arrived that weren't yielded, because ingest had applied them already.

        Raises:
            StateError: the server doesn't answer.
        """
        now = [self._scripts.run(lua.stream_snapshot(one.key, applied_of(one.key))) for one in self._streams]
        return max(0, sum(one.added for one in now) - self._added - self._seen)

    def _last(self, stream: Stream, until: str, number: int) -> Iterator[StreamEntry]:
        if number:
            with driver_errors():
                found = self._scripts.client.execute_command("XREVRANGE", stream.key, until, "-", "COUNT", number)
            yield from map(entry_of, found)

    def _follow(self, stream: Stream, after: str) -> None:
        at: str | bytes = after
        try:
            while not self._stopped.is_set():
                command = ("XREAD", "COUNT", _COUNT, "BLOCK", _BLOCK_MS, "STREAMS", stream.key, at)
                with driver_errors():
                    entries = entries_of(self._scripts.client.execute_command(*command))
                for entry in entries:
                    self._found.put(entry)
                    at = entry.id
        except Exception as problem:  # noqa: BLE001 - the iterator raises it
            self._found.put(problem)
