"""The watch that each long-lived role keeps in a thread of its own: over the server, and over all other roles.

Who watches must not be one that may be dead, so all do. One look serves them all: whoever takes the turn looks, and
what is wrong is recorded beside the data, so that the log of all processes together tells it once. While the server
itself is away, each process says so by itself.
"""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic

import structlog

from detectors.lanes import LANES_BY_NAME, milliseconds
from state import overview
from state.alarms import Alarms, Change
from state.errors import StateError
from worker import runtime
from worker.celery_support.fork_lock import undivided
from worker.monitoring import health
from worker.monitoring.health import Finding
from worker.server_errors import told
from worker.settings import Settings

ALARM, ALARM_FIRING, ALARM_RESOLVED = "alarm", "alarm_firing", "alarm_resolved"
"""The events in the log."""
WARNS = frozenset({"memory", "events", "stream", "ids", "outbox", "orders", "messages", "control"})
"""Findings that are worth an alarm before anything fails. A role that is merely late may just be busy."""
LOOKS_TO_SETTLE, LONGEST_PATIENCE_S = 6, 60.0
_LEVELS = {"warn": 1, "fail": 2}
_NAMES = {"begins": ALARM, "lasts": ALARM_FIRING, "over": ALARM_RESOLVED}

log = structlog.stdlib.get_logger("winback.watch")


def wrong(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Return the findings that are worth an alarm, by name; the worst of several with the same name."""
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.mark == "fail" or (finding.mark == "warn" and finding.name in WARNS):
            known = found.get(finding.name)
            if known is None or _LEVELS[finding.mark] > _LEVELS[known.mark]:
                found[finding.name] = finding
    return found


def patience_s(settings: Settings) -> float:
    """Return how long a process looks on before it judges: after a start, an outage and a standstill all are late."""
    slowest_s = max(health.interval_ms(role, settings) for role in overview.ROLES) / 1000
    every_s = settings.alarms.check_interval.total_seconds()
    return min(LONGEST_PATIENCE_S, max(LOOKS_TO_SETTLE * every_s, health.MISSED_BEATS * slowest_s))


class Watch:
    """One process's part in it. `tick` looks once and can be called by itself; `start` does so again and again."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = monotonic) -> None:
        """Prepare; nothing is connected yet. `clock`: seconds, steady."""
        self._settings = settings
        self._clock = clock
        self._every_s = settings.alarms.check_interval.total_seconds()
        self._again_s = settings.alarms.repeat_interval.total_seconds()
        self._stopped = Event()
        self._state: runtime.State | None = None
        self._ticked = clock()
        self._patience_s = patience_s(settings)
        self._judges_from = self._ticked + self._patience_s
        self._away_since: float | None = None
        self._away_told = 0.0

    def start(self) -> None:
        """Watch until the process ends, or `stop`. Nothing that happens to the watch reaches the role."""
        Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more; waits for nothing."""
        self._stopped.set()

    def tick(self) -> None:
        """Look once, if it is our turn; takes some seconds when the server does not answer."""
        now = self._clock()
        if now - self._ticked > self._patience_s:
            # We stood still: what we know of the others is as old as they seem.
            self._be_patient(now)
        self._ticked = now
        try:
            self._look(now)
        except StateError as problem:
            self._server_is_away(problem)
        except Exception as problem:  # noqa: BLE001 - the role must go on, and the next look may be better
            log.error("watch_failed", error=type(problem).__name__)  # noqa: TRY400 - a message may hold anything
        self._ticked = self._clock()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            with undivided:
                self.tick()

    def _be_patient(self, now: float) -> None:
        self._judges_from = now + self._patience_s

    def _look(self, now: float) -> None:
        if self._state is None:
            self._state = runtime.open_state(self._settings, connections=2)
        state = self._state
        alarms = Alarms(state.scripts, state.keys)
        if self._away_since is not None or now < self._judges_from:
            alarms.require_writes()
            self._server_answers(now)
            return
        # A little less than a round, or somebody whose clock ticks at the same pace would find the turn taken.
        turn_ms = milliseconds(self._settings.alarms.check_interval) * 9 // 10
        if not alarms.take_turn(f"{socket.gethostname()}:{os.getpid()}", turn_ms):
            return
        found_now = overview.read(state.scripts, state.keys, list(LANES_BY_NAME))
        findings = health.findings(found_now, self._settings)
        found = wrong(findings)
        levels = {name: _LEVELS[finding.mark] for name, finding in found.items()}
        again_ms = milliseconds(self._settings.alarms.repeat_interval)
        changes = alarms.record(levels, again_ms=again_ms, looked_ms=found_now.now_ms)
        well = {finding.name: finding for finding in findings if finding.name not in found}
        for change in changes:
            _tell(change, found.get(change.about) or well.get(change.about))

    def _server_is_away(self, problem: StateError) -> None:
        """Say so, as each process does by itself."""
        now = self._clock()
        begins = self._away_since is None
        if self._away_since is None:
            self._away_since = now
        if begins or now - self._away_told >= self._again_s:
            self._away_told = now
            for_s = round(now - self._away_since)
            log.error(
                ALARM if begins else ALARM_FIRING, alarm="server", text=told(self._settings, problem), for_s=for_s
            )

    def _server_answers(self, now: float) -> None:
        if self._away_since is not None:
            log.info(
                ALARM_RESOLVED,
                alarm="server",
                text="it answers again, and takes writes",
                for_s=round(now - self._away_since),
            )
            self._away_since = None
            # Nobody could say that they live.
            self._be_patient(now)


def _tell(change: Change, finding: Finding | None) -> None:
    since = datetime.fromtimestamp(change.since_ms / 1000, UTC).isoformat(timespec="seconds")
    level = "info" if change.went == "over" else "warning" if finding and finding.mark == "warn" else "error"
    more = {"text": finding.text, "hint": finding.hint or None} if finding else {}
    getattr(log, level)(_NAMES[change.went], alarm=change.about, since=since, **more)
