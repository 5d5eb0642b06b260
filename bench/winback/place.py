"""A server with waiting sessions, and an ingest process for it that runs through all rounds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import process_time

from bench.applying import BLOCK, apply, ingest, publish
from bench.processes import server_s
from bench.waiting import wait_for
from bench.winback.filling import fill, lines
from bench.winback.running import SECRET
from detectors.lanes import LANES
from state.partitions import PARTITIONS
from worker import runtime
from worker.celery_support.task_deps import build_deps
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

SINCE_MS = 10_000
"""How long waiting sessions have been silent at least when their events arrive."""


class Place:
    """A server and its number of waiting sessions."""

    def __init__(self, url: str) -> None:
        settings = load({**SECRET, **BLOCK, "WINBACK_REDIS_URL": url})
        self.state = state = runtime.open_state(settings)
        self.deps = build_deps(settings, sends=False)
        self.random = Random(1)
        self.waiting = 0
        self._ingest = ingest(state, settings)
        state.streams.first.create_group()

    def fill_up(self, waiting: int) -> None:
        """Create sessions until this many wait."""
        silent_ms = self.state.streams.watermark().now_ms - SINCE_MS
        fill(self.state, range(self.waiting, waiting), silent_ms=silent_ms, random=self.random)
        self.waiting = waiting

    def begin_anew(self, waiting: int) -> None:
        self.state.client.flushall()
        self.state.streams.first.create_group()
        self.waiting = 0
        self.fill_up(waiting)

    def apply(self, sessions: Sequence[int]) -> tuple[float, float]:
        """Apply an event for each session; return the processor time (us) of one, in the server and in this process."""
        publish(self.state.client, self.state.keys.events, (("*", line) for line in lines(sessions, self.random)))
        wait_for(self._writes_nothing_anew, 300)
        server, client = server_s(self.state.client), process_time()
        apply(self._ingest, self.state, len(sessions))
        client, server = process_time() - client, server_s(self.state.client) - server
        assert self._in_lanes() == self.waiting
        return server / len(sessions) * 1e6, client / len(sessions) * 1e6

    def _writes_nothing_anew(self) -> bool:
        """Return whether the server isn't rewriting its append-only file, which isn't part of an event's cost."""
        return not self.state.client.info("persistence")["aof_rewrite_in_progress"]

    def _in_lanes(self) -> int:
        pipe = self.state.client.pipeline(transaction=False)
        for number in range(PARTITIONS):
            for lane in LANES:
                pipe.zcard(self.state.keys.lane(number, lane.name))
        return sum(pipe.execute())


@contextmanager
def place() -> Iterator[Place]:
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        yield Place(server.url)
