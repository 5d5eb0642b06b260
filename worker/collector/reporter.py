"""Delivers the spool, and reports twice a second up to when all accepted events are in a stream."""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic

import structlog

from state.collectors import Figures
from state.deliveries import DeliveryNote
from state.errors import StateError
from worker.collector.committer import Committer
from worker.collector.doubt import Doubt
from worker.collector.server_clock import ServerClock
from worker.collector.spool import Spool
from worker.collector.stream_access import StreamAccess

INTERVAL_S = 0.5
HEARTBEAT_S = 2.0
LONGEST_PAUSE_S = 5.0
UNKNOWN_PAUSE_S = 0.2
"""Between two tries of a collector that hasn't reached Redis yet. Until Redis knows it, its events hold no contact."""
LAST_DELIVERY_S = 5.0
"""How long the spool is delivered when the collector stops."""
_CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError)
"""Errors for a line that isn't as it should be. Its text isn't logged, because it can be personal."""

log = structlog.stdlib.get_logger("winback.collector")


class Reporter:
    """The thread that reports and delivers. `step` does one round and can be called by itself."""

    def __init__(
        self,
        collector: str,
        *,
        access: StreamAccess,
        committer: Committer,
        spool: Spool,
        clock: ServerClock,
        figures: Callable[[], Figures],
        missing_after_ms: int,
        delivered: Callable[[], Sequence[DeliveryNote]],
    ) -> None:
        """`missing_after_ms`: how long others count a collector that reports nothing."""
        self._collector = collector
        self._access = access
        self._committer = committer
        self._spool = spool
        self._clock = clock
        self._figures = figures
        self._missing_after_ms = missing_after_ms
        self._delivered = delivered
        self._doubt = Doubt(missing_after_ms, spool.quarantined.earlier_bytes, spool.quarantined.earlier_age_ms)
        self._stopped = Event()
        self._last_heartbeat_s = float("-inf")
        self._thread = Thread(target=self._run, name="report")
        self.is_reachable = False
        self._first_known_ms: int | None = None
        """The first time that the server told, while the spool can have events that were accepted before."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. If no event is left, remove the report; else others know that events are missing."""
        self._stopped.set()
        self._thread.join()
        deadline = monotonic() + LAST_DELIVERY_S
        try:
            while not self._spool.is_empty and monotonic() < deadline:
                self._deliver()
            self._sign()
            self._access.note(self._delivered())
        except StateError as problem:
            log.error("state_unreachable", error=str(problem), kept_in="the spool")  # noqa: TRY400 - one line says it
        if self._doubt.is_open:
            return  # the report stays, so that others count the quarantined events for a while
        if self._spool.is_empty and not self._access.remove(self._collector):
            log.warning("collector_not_removed", hint="until it is started again, silence isn't measured for a while")

    def step(self) -> None:
        """Report, and deliver a part of the spool.

        Raises:
            StateError: the server doesn't answer, or takes no events.
        """
        self._sign()
        self._access.note(self._delivered())
        if monotonic() - self._last_heartbeat_s >= HEARTBEAT_S:
            self._last_heartbeat_s = monotonic()
            self._access.heartbeat()
        deadline = monotonic() + INTERVAL_S
        while not self._spool.is_empty and monotonic() < deadline and not self._stopped.is_set():
            self._deliver()

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                self.step()
                failures, self.is_reachable = 0, True
            except StateError as problem:
                self.is_reachable = False
                if not failures:
                    log.error("state_unreachable", error=str(problem), kept_in="the spool")  # noqa: TRY400 - as above
                failures += 1
            except Exception as problem:  # noqa: BLE001 - the thread must go on; the message can hold what was sent
                log.error("report_failed", error=type(problem).__name__)  # noqa: TRY400 - as above
                failures += 1
            if self._spool.is_empty or failures:
                self._stopped.wait(pause_s(failures, is_known=self._clock.is_known))

    def _sign(self) -> None:
        """Report the earliest moment from which on accepted events can be missing from the streams.

        The queue is read before the spool: an event moves from the one to the other. The time is read before both.

        While the spool can have events of a time before the server's was known, their times can be wrong. A report that
        is far in the past doesn't count, so the earliest possible one is bounded.
        """
        if not self._clock.is_known:
            self._first_known_ms = self._access.sign(self._collector, 0, self._figures())
            self._clock.set(self._first_known_ms)
        now_ms = self._clock.now_ms()
        queued_ms = self._committer.oldest_ms()
        spooled_ms = self._spool.oldest_ms()
        if spooled_ms is None and queued_ms is None:
            self._first_known_ms = None
        times = (now_ms, queued_ms, spooled_ms, self._first_known_ms)
        until_ms = min(ms for ms in times if ms is not None)
        if self._first_known_ms is not None:
            until_ms = max(until_ms, self._first_known_ms - self._missing_after_ms)
        until_ms = self._doubt.limited(until_ms, now_ms, self._spool.damaged)
        self._clock.set(self._access.sign(self._collector, until_ms, self._figures()))

    def _deliver(self) -> None:
        chunk = self._spool.next()
        if chunk is not None:
            self._spool.quarantine(chunk, self._refused(chunk.events))
            self._spool.drop(chunk)
            if self._spool.is_empty:
                log.info("spool_delivered")

    def _refused(self, events: Sequence[bytes]) -> list[bytes]:
        """Write events; return those that can't be placed, such as lines of another version.

        Raises:
            StateError: some of them may have been written.
        """
        try:
            self._access.write(events)
        except _CONTENT_ERRORS:
            if len(events) == 1:
                return list(events)
            return [line for event in events for line in self._refused([event])]
        return []


def pause_s(failures: int, *, is_known: bool) -> float:
    """Return how long to wait after this many failed rounds in a row. `is_known`: Redis has answered before."""
    if failures and not is_known:
        return UNKNOWN_PAUSE_S
    return min(LONGEST_PAUSE_S, INTERVAL_S * 2.0 ** min(failures, 4))
