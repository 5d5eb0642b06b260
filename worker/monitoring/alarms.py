"""The monitor that each long-lived role runs in its own thread: it checks the server and all other roles.

Every role runs it, so it has no single point of failure. The process that holds the lock checks for all of them. It
records the problems next to the data, so that the log of all processes together reports each once. While the server is
down, each process reports that separately.
"""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic

import structlog

from detectors.lanes import LANES_BY_NAME, milliseconds
from state import overview, stored_records
from state.alarms import AlarmChange, Alarms
from state.errors import StateError
from worker import runtime
from worker.celery_support.fork_lock import fork_lock
from worker.monitoring import health
from worker.monitoring.health import Finding
from worker.server_errors import describe
from worker.settings import Settings

ALARM, ALARM_FIRING, ALARM_RESOLVED = "alarm", "alarm_firing", "alarm_resolved"
"""The events in the log."""
WARNS = frozenset(
    {
        "memory",
        "events",
        "stream",
        "ids",
        "outbox",
        "orders",
        "messages",
        "control",
        "lateness",
        "unreachable",
        "rejected",
        "data_requests",
        "shop_erasures",
    }
)
"""Findings that raise an alarm before anything fails. A role that is merely late may just be busy."""
CHECKS_TO_SETTLE, LONGEST_PATIENCE_S = 6, 60.0
_LEVELS = {"warn": 1, "fail": 2}
_NAMES = {"begins": ALARM, "lasts": ALARM_FIRING, "over": ALARM_RESOLVED}

log = structlog.stdlib.get_logger("winback.watch")


def failing(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Return the findings that raise an alarm, by name; the worst of several with the same name."""
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.mark == "fail" or (finding.mark == "warn" and finding.name in WARNS):
            known = found.get(finding.name)
            if known is None or _LEVELS[finding.mark] > _LEVELS[known.mark]:
                found[finding.name] = finding
    return found


def patience_s(settings: Settings) -> float:
    """Return how many seconds a process waits before it checks: after a start, outage or stall all roles seem late."""
    slowest_s = max(health.interval_ms(role, settings) for role in stored_records.ROLES) / 1000
    every_s = settings.alarms.check_interval.total_seconds()
    return min(LONGEST_PATIENCE_S, max(CHECKS_TO_SETTLE * every_s, health.MISSED_HEARTBEATS * slowest_s))


class AlarmMonitor:
    """The monitor of one process. `tick` checks once and can be called separately; `start` repeats it."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = monotonic) -> None:
        """Prepare; nothing is connected yet. `clock`: seconds, steady."""
        self._settings = settings
        self._clock = clock
        self._every_s = settings.alarms.check_interval.total_seconds()
        self._repeat_s = settings.alarms.repeat_interval.total_seconds()
        self._stopped = Event()
        self._state: runtime.State | None = None
        self._ticked = clock()
        self._patience_s = patience_s(settings)
        self._judges_from = self._ticked + self._patience_s
        self._unreachable_since: float | None = None
        self._unreachable_logged_s = 0.0

    def start(self) -> None:
        """Check until the process ends, or until `stop`. No error of the monitor reaches the role."""
        Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Stop checking. Returns immediately."""
        self._stopped.set()

    def tick(self) -> None:
        """Check once, if this process gets the lock. Takes some seconds if the server doesn't answer."""
        now = self._clock()
        if now - self._ticked > self._patience_s:
            # This process stalled, so its data about the others is out of date.
            self._wait_before_judging(now)
        self._ticked = now
        try:
            self._check(now)
        except StateError as problem:
            self._report_unreachable(problem)
        except Exception as problem:  # noqa: BLE001 - the role must continue, and the next check may succeed
            log.error("watch_failed", error=type(problem).__name__)  # noqa: TRY400 - a message may contain anything
        self._ticked = self._clock()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            with fork_lock:
                self.tick()

    def _wait_before_judging(self, now: float) -> None:
        self._judges_from = now + self._patience_s

    def _check(self, now: float) -> None:
        if self._state is None:
            self._state = runtime.open_state(self._settings, connections=2)
        state = self._state
        alarms = Alarms(state.scripts, state.keys)
        if self._unreachable_since is not None or now < self._judges_from:
            alarms.require_writes()
            self._report_reachable(now)
            return
        # A little less than a round: another process with the same interval would find the lock taken.
        lock_ms = milliseconds(self._settings.alarms.check_interval) * 9 // 10
        if not alarms.take_monitor_lock(f"{socket.gethostname()}:{os.getpid()}", lock_ms):
            return
        found_now = overview.read(state.scripts, state.keys, list(LANES_BY_NAME))
        findings = health.findings(found_now, self._settings)
        found = failing(findings)
        levels = {name: _LEVELS[finding.mark] for name, finding in found.items()}
        repeat_ms = milliseconds(self._settings.alarms.repeat_interval)
        changes = alarms.update(levels, repeat_ms=repeat_ms, checked_ms=found_now.now_ms)
        well = {finding.name: finding for finding in findings if finding.name not in found}
        for change in changes:
            _log_change(change, found.get(change.name) or well.get(change.name))

    def _report_unreachable(self, problem: StateError) -> None:
        """Report an unreachable server, from each process separately."""
        now = self._clock()
        begins = self._unreachable_since is None
        if self._unreachable_since is None:
            self._unreachable_since = now
        if begins or now - self._unreachable_logged_s >= self._repeat_s:
            self._unreachable_logged_s = now
            for_s = round(now - self._unreachable_since)
            log.error(
                ALARM if begins else ALARM_FIRING, alarm="server", text=describe(self._settings, problem), for_s=for_s
            )

    def _report_reachable(self, now: float) -> None:
        if self._unreachable_since is not None:
            log.info(
                ALARM_RESOLVED,
                alarm="server",
                text="it answers again and accepts writes",
                for_s=round(now - self._unreachable_since),
            )
            self._unreachable_since = None
            # No role could send a heartbeat in the meantime.
            self._wait_before_judging(now)


def _log_change(change: AlarmChange, finding: Finding | None) -> None:
    since = datetime.fromtimestamp(change.since_ms / 1000, UTC).isoformat(timespec="seconds")
    level = "info" if change.event == "over" else "warning" if finding and finding.mark == "warn" else "error"
    more = {"text": finding.text, "hint": finding.hint or None} if finding else {}
    getattr(log, level)(_NAMES[change.event], alarm=change.name, since=since, **more)
