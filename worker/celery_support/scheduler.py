"""Celery's own scheduler with heartbeats: a beat that hangs looks healthy from outside."""

from contextlib import suppress
from functools import cached_property
from time import monotonic, time

import celery.beat
import structlog
from celery.schedules import schedule

from detectors.durations import format_duration
from state.errors import StateError
from tasks.broker import bounded
from worker import runtime
from worker.monitoring.alarms import AlarmMonitor
from worker.settings.reload import DetectionReader

EVERY_S = 2.0
STEP_S = 2.0

log = structlog.get_logger("winback.beat")


class Scheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Keeps its schedule in memory, because the settings define all of it."""

    _last_heartbeat_s = 0.0
    _read = 0.0
    _offset = 0.0

    def setup_schedule(self) -> None:
        """Called once, when beat starts."""
        super().setup_schedule()
        settings = self.app.settings
        self._state = runtime.open_state(settings)
        self._detection = DetectionReader(settings)
        AlarmMonitor(settings).start()

    def tick(self) -> float:
        """Publish due entries; return how long to sleep (s)."""
        self._follow_clock()
        self._follow_settings()
        sleep: float = super().tick()
        if monotonic() - self._last_heartbeat_s >= EVERY_S:
            self._last_heartbeat_s = monotonic()
            try:
                self._state.heartbeat("beat")
            except StateError as exc:
                log.warning("state_unreachable", error=str(exc))
        return min(sleep, EVERY_S)

    def apply_async(self, *args: object, **kwargs: object) -> object:
        """Publish one entry; after a failure, discard the connection, which can be broken for good."""
        try:
            return super().apply_async(*args, **kwargs)
        except Exception:
            self.__dict__.pop("producer", None)
            if connection := self.__dict__.pop("connection", None):
                with suppress(Exception):
                    connection.release()
            raise

    def close(self) -> None:
        """Leave the connection to the end of the process.

        Celery calls this in its handler of SIGTERM. If the signal arrives during a publish, an ordered close would wait
        for its reply, which nothing reads any more. There is no schedule to save either.
        """

    @cached_property
    def connection(self) -> object:
        """The connection for all publishing."""
        return bounded(self.app.connection_for_write())

    def _follow_settings(self) -> None:
        """Request sweeps at the interval of the current settings; the sweep reports problems of an edit."""
        if monotonic() - self._read < EVERY_S:
            return
        self._read = monotonic()
        interval, entry = self._detection()[0].sweep_interval, self.schedule["sweep"]
        if entry.schedule.run_every == interval:
            return
        log.info("sweep_interval_changed", every=format_duration(interval))
        entry.schedule = schedule(interval)
        # At once: the sweep records the interval by which it is checked.
        entry.last_run_at = entry.default_now() - interval
        self._heap = None

    def _follow_clock(self) -> None:
        """Adjust for clock changes: Celery uses the wall clock, and pauses for an hour if set back by one."""
        offset = time() - monotonic()
        if self._offset and abs(offset - self._offset) > STEP_S:
            log.warning("clock_jumped", by_s=round(offset - self._offset))
            for entry in self.schedule.values():
                entry.last_run_at = entry.default_now()
            self._heap = None
        self._offset = offset
