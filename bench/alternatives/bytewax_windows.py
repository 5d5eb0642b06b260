"""Bytewax: session windows by event time, one for each session id, folded to the session's state.

As a program with a file of events it measures itself. Without one, it reads a stream on the server and reports. It
keeps its state and its position in a recovery store if one is given.
"""

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import (
    AbortExecution,
    DynamicSource,
    FixedPartitionedSource,
    StatefulSourcePartition,
    StatelessSourcePartition,
)
from bytewax.operators.windowing import EventClock, SessionWindower, fold_window
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main
from redis import Redis

from bench.alternatives.programs import Program
from bench.alternatives.reports import ready, report, server_url, silent_ms
from bench.alternatives.workload import BATCH, Cost, fields_of, sessions_in
from bench.processes import memory_bytes
from bench.shop_log import Logged

Event = dict[str, Any]
Keyed = tuple[str, Event]
Folder = Callable[[dict[str, str], Event], dict[str, str]]
LATE = timedelta(seconds=1)
STREAM, RECOVERY = "events", "BENCH_RECOVERY"


def occurred(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def fold(session: dict[str, str], event: Event) -> dict[str, str]:
    session.update(fields_of(event))
    return session


def merged(earlier: dict[str, str], later: dict[str, str]) -> dict[str, str]:
    return earlier | later


def as_it_is(at: datetime) -> datetime:
    return at


def later(at: datetime) -> datetime:
    return at + timedelta(days=1)


def flow_of(
    source: Any,  # noqa: ANN401 - untyped
    sink: Any,  # noqa: ANN401 - untyped
    *,
    gap: timedelta,
    late: timedelta,
    due: Callable[[datetime], datetime] = as_it_is,
    folder: Folder,
) -> Dataflow:
    """Return the flow from events by session id to sessions that have been silent for `gap`.

    An event is left out if its time is more than `late` behind the clock. `due`: the system time at which a window is
    checked for a moment of the events.
    """
    flow = Dataflow("silent_sessions")
    found = fold_window(
        "sessions",
        op.input("events", flow, source),
        EventClock(ts_getter=occurred, wait_for_system_duration=late, to_system_utc=due),
        SessionWindower(gap=gap),
        dict,
        folder,
        merged,
        ordered=False,
    )
    op.output("reports", found.down, sink)
    return flow


class Reporting(StatelessSinkPartition):
    def write_batch(self, items: list[tuple[str, Any]]) -> None:
        for session, _ in items:
            report(session)


class Reports(DynamicSink):
    def build(self, _step: str, _worker: int, _workers: int) -> Reporting:
        return Reporting()


class Log(StatelessSourcePartition):
    """Yields the events of a log, and measures from the first to the last folded one."""

    def __init__(self, events: Sequence[Keyed], found: dict[str, float]) -> None:
        self._events, self._found, self._next = events, found, 0
        self.began = perf_counter(), process_time(), memory_bytes(os.getpid())

    def next_batch(self) -> Sequence[Keyed]:
        batch = self._events[self._next : self._next + BATCH]
        self._next += len(batch)
        if not batch and self._found["folded"] >= len(self._events):
            clock, processor, resident = self.began
            self._found |= {"clock_s": perf_counter() - clock, "processor_s": process_time() - processor}
            self._found["grown"] = memory_bytes(os.getpid()) - resident
            # Otherwise all windows would be closed, which isn't part of the measurement.
            raise AbortExecution
        return batch


class Logs(DynamicSource):
    def __init__(self, events: Sequence[Keyed], found: dict[str, float]) -> None:
        self._made = events, found

    def build(self, _step: str, _worker: int, _workers: int) -> Log:
        return Log(*self._made)


class Reading(StatefulSourcePartition):
    """Reads the stream from the recovery store's position, or from now."""

    def __init__(self, after: str | None) -> None:
        self._client: Any = Redis.from_url(server_url(), decode_responses=True, protocol=2)
        newest: Any = self._client.xrevrange(STREAM, count=1)
        self._after: str = after or (newest[0][0] if newest else "0")
        ready()

    def next_batch(self) -> Sequence[Keyed]:
        found: Any = self._client.xread({STREAM: self._after}, count=BATCH, block=20)
        entries = found[0][1] if found else []
        if entries:
            self._after = entries[-1][0]
        events = [json.loads(entry["event"]) for _, entry in entries]
        return [(event["session_id"], event) for event in events]

    def snapshot(self) -> str:
        return self._after


class Stream(FixedPartitionedSource):
    def list_parts(self) -> list[str]:
        return ["shop"]

    def build_part(self, _step: str, _part: str, after: str | None) -> Reading:
        return Reading(after)


def cost(log: Sequence[Logged], directory: Path, *, recovery: bool) -> Cost:
    """Fold a log in a separate process, which starts with the events in memory, parsed and by session id."""
    file = directory / "bytewax-events"
    file.write_text(json.dumps([event for _, event in log]))
    found_in = directory / "bytewax-found"
    kept = directory / "bytewax-recovery"
    shutil.rmtree(kept, ignore_errors=True)
    env = {RECOVERY: str(kept)} if recovery else {}
    words = ["bench.alternatives.bytewax_windows", str(file), str(found_in)]
    program = Program(words, env, directory / "bytewax.log")
    program.start()
    program.wait(300)
    found = json.loads(found_in.read_text())
    assert found["folded"] == len(log)
    return Cost(
        rate=len(log) / found["clock_s"],
        client_us=found["processor_s"] / len(log) * 1e6,
        server_us=0.0,
        session_bytes=found["grown"] / sessions_in(log),
    )


def measure_itself(file: Path, found_in: Path) -> None:
    events = [(event["session_id"], event) for event in json.loads(file.read_text())]
    gc.freeze()
    found = {"folded": 0.0}

    def folding(session: dict[str, str], event: Event) -> dict[str, str]:
        found["folded"] += 1
        return fold(session, event)

    # The events are in the past: otherwise every window would be checked all the time, which doesn't happen in real
    # use.
    hour = timedelta(hours=1)
    run(flow_of(Logs(events, found), Reports(), gap=hour, late=hour, due=later, folder=folding))
    found_in.write_text(json.dumps(found))


def watch() -> None:
    run(flow_of(Stream(), Reports(), gap=timedelta(milliseconds=silent_ms()), late=LATE, folder=fold))


def run(flow: Dataflow) -> None:
    """Run the flow; with a recovery store, save every second."""
    recovery = None
    if RECOVERY in os.environ:
        kept = Path(os.environ[RECOVERY])
        if not kept.exists():
            kept.mkdir()
            init_db_dir(kept, 1)
        recovery = RecoveryConfig(kept)
    cluster_main(flow, [], 0, recovery_config=recovery, epoch_interval=timedelta(seconds=1))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_itself(*map(Path, sys.argv[1:]))
    else:
        watch()
