"""Ingest: reads the activity streams in batches, validates and applies them, and only then acknowledges.

Any number of processes share one consumer group, and each of them reads all streams. Applying twice changes nothing. So
in doubt a batch is applied again: see `worker.ingest.recovery`.
`docs/explanation/ingest.md` has a diagram of a batch's path.
"""

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic

import structlog

from state import deployment
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.event_stream import GroupMissingError, StreamBatch
from state.tracing import NO_SPAN, Trace, no_trace
from worker.ingest.applier import Applier
from worker.ingest.committer import Committer, IngestTotals
from worker.ingest.in_flight import Reached
from worker.ingest.people import PeopleWriter
from worker.ingest.reader import Reader
from worker.ingest.recovery import Recovery
from worker.ingest.redelivery import Redelivery
from worker.monitoring.alarms import ALARM
from worker.runtime import State
from worker.settings import IngestSettings

LONGEST_PAUSE_S = 10.0
HEARTBEAT_INTERVAL_S = 2.0

log = structlog.get_logger("winback.ingest")


def tune_gc() -> None:
    """Make the garbage collector run less often: a batch is a hundred thousand objects, none of them in a cycle."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


class Ingest:
    """One consumer. `step` does one round and can be called separately; `run` repeats it until it is stopped."""

    def __init__(
        self,
        state: State,
        settings: IngestSettings,
        *,
        consumer: str,
        heartbeat: Callable[[], object],
        reached: Reached = lambda _step: None,
        trace: Trace = no_trace,
    ) -> None:
        """`reached` is called after each step, so that a test can end the process there. `trace` reports batches."""
        naming = PeopleWriter(state.people, state.secret, partial(deployment.report, state.scripts, state.keys))
        self._reader = Reader(state.streams, consumer, settings, reached)
        self._applier = Applier(state.sessions, state.orders, naming, reached, state.keys)
        self._committer = Committer(state, self._applier, naming, reached)
        redelivery = Redelivery(state.streams, consumer, settings)
        self._recovery = Recovery(self._reader, self._applier, self._committer, redelivery, settings)
        self._heartbeat, self._last_heartbeat_s = heartbeat, 0.0
        self._trace = trace

    @property
    def totals(self) -> IngestTotals:
        """The work of this process since its start."""
        return self._committer.totals

    def run(self, stopped: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Take rounds until `stopped`. `pause` waits for some seconds, or less if the process is stopping."""
        failures = 0
        while not stopped():
            try:
                self._round(ahead=True)
                failures = 0
            except GroupMissingError:
                log.error(  # noqa: TRY400 - the text is complete
                    ALARM, alarm="group", text="the consumer group of the events was missing and is created again"
                )
            except (ServerUnavailableError, ServerFullError) as exc:
                failures += 1
                wait = min(LONGEST_PAUSE_S, 0.25 * 2 ** min(failures, 6))
                log.error("state_unreachable", error=str(exc), retry_in_s=wait)  # noqa: TRY400 - one line is enough
                pause(wait)
        with suppress(StateError), self._recovery.drained_on_error():  # unwritten entries stay pending
            self._recovery.finish_all()

    def step(self) -> int:
        """Read one batch, apply it and acknowledge it; return its number of entries.

        Raises:
            StateError: Some of the batch may not have been applied; the next step begins with it.
        """
        return self._round(ahead=False)

    def process(self, reading: StreamBatch) -> None:
        """Apply entries and acknowledge them. They are acknowledged only if all of them were applied.

        Raises:
            StateError: They stay pending; process them again.
        """
        with self._recovery.drained_on_error():
            self._recovery.process(reading)

    def _round(self, *, ahead: bool) -> int:
        """Take one batch.

        `ahead`: under load, the server reads the next and applies this one while this process validates.

        The work is divided so that neither waits for the other. While this process validates a batch, the server
        applies the previous one, marks the people of the one before that, and reads the next one.
        """
        with self._recovery.drained_on_error():
            self._send_heartbeat_if_due()
            self._recovery.recover()
            work = self._reader.read(prefetch=ahead)
            with self._trace("ingest_batch") if work.entries else NO_SPAN as span:
                span.set("events", work.entries)
                self._applier.submit(work)
                self._committer.finish(leave=1 if self._reader.is_prefetching else 0)
            self._reader.put_back_ids_if_ahead()
        return work.entries

    def _send_heartbeat_if_due(self) -> None:
        if monotonic() - self._last_heartbeat_s >= HEARTBEAT_INTERVAL_S:
            self._last_heartbeat_s = monotonic()
            self._heartbeat()
