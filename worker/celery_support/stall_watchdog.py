"""Ends a worker for a restart if it accepts no messages any more, runs a task without end, or leaks memory.

Such a worker runs and sends heartbeats, but does nothing. This was seen of Celery workers after a broker was down, each
time for another reason. All cases look the same from inside: messages wait, and nothing is taken or running.

A pool of processes replaces a process whose task exceeds its time limit, or that needs too much memory. A pool of
threads can't: a hanging thread is lost, in the end all are, and memory only grows. So the whole worker is replaced.
"""

import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import structlog
from celery import Celery
from celery.worker import state as worker_state

from tasks.broker import Broker, BrokerUnavailableError
from worker.celery_support.fork_lock import fork_lock
from worker.monitoring.alarms import ALARM

LONGEST_S = 60.0
"""How long messages can wait while none is taken."""
EVERY_S = 10.0
FROZEN_S = 3 * EVERY_S
"""A pause between two checks after which this process was frozen itself."""
_READINGS = 5
_PAGES = Path("/proc/self/statm")

_IDLE = "messages wait and none is taken: the worker exits"
_OVERDUE = "a task runs for longer than its limit: the worker exits"
_HEAVY = "the worker needs too much memory: it exits after its attempts"

log = structlog.stdlib.get_logger("winback.standstill")


def taken() -> int:
    """Return how many tasks this worker has accepted since it started."""
    return sum(worker_state.total_count.values())


def in_flight() -> int:
    """Return how many received tasks of this worker haven't ended."""
    return len(worker_state.reserved_requests) + len(worker_state.active_requests)


def running() -> frozenset[str]:
    """Return the ids of the running tasks.

    Raises:
        RuntimeError: Threads changed the set during each of several reads.
    """
    for _ in range(_READINGS):
        with suppress(RuntimeError):
            return frozenset(request.id for request in worker_state.active_requests)
    raise RuntimeError("the running tasks changed while they were read")


def memory_kb() -> int:
    """Return the memory of this process (KiB); its peak if the system doesn't report the current value."""
    try:
        pages = int(_PAGES.read_text(encoding="ascii").split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
    # Not the peak: on Linux a program inherits that of the process that started it.
    return pages * resource.getpagesize() // 1024


@dataclass(slots=True)
class Overdue:
    """Checks whether a task runs for longer than allowed. `clock`: monotonic seconds."""

    limit_s: float
    """How long a task can run."""
    running: Callable[[], frozenset[str]] = running
    clock: Callable[[], float] = monotonic
    _since: dict[str, float] = field(default_factory=dict)
    _checked: float = 0.0

    def is_stalled(self) -> bool:
        """Return whether a task has been seen at every check for longer than the limit."""
        now = self.clock()
        if now - self._checked > FROZEN_S:  # every task can need its time again
            self._since.clear()
        self._checked = now
        self._since = {task: self._since.get(task, now) for task in self.running()}
        return any(now - since > self.limit_s for since in self._since.values())


@dataclass(slots=True)
class StallWatchdog:
    """Checks periodically whether this worker is stalled. `clock`: monotonic seconds."""

    queued: Callable[[], int]
    """How many messages wait; raises BrokerUnavailableError."""
    taken: Callable[[], int] = taken
    in_flight: Callable[[], int] = in_flight
    clock: Callable[[], float] = monotonic
    _known: int = -1
    _since: float = 0.0
    _checked: float = 0.0

    def is_stalled(self) -> bool:
        """Return whether messages have waited at every check of the last `LONGEST_S`, with none taken or in flight."""
        now, taken_now = self.clock(), self.taken()
        was_suspended = now - self._checked > FROZEN_S
        self._checked = now
        try:
            idle = taken_now == self._known and not self.in_flight() and self.queued() > 0
        except BrokerUnavailableError:
            idle = False
        if not idle or was_suspended:
            self._known, self._since = taken_now, now
        return now - self._since >= LONGEST_S


@dataclass(frozen=True, slots=True)
class Check:
    """One reason for a worker to exit."""

    applies: Callable[[], bool]
    """Called at every interval. An exception is logged, and the next check might succeed."""
    log: Callable[[], object]
    """Logs the reason."""


def start_stall_watchdog(app: Celery, queue: str, *, threads: bool = False, stopped: Event | None = None) -> None:
    """Check from a thread until the process ends. Exit in order if a check applies, by force if that fails.

    `threads`: it has a pool of threads, for which Celery enforces no limits.
    """
    limit_s = float(app.conf.task_time_limit or math.inf)
    checks = [Check(StallWatchdog(Broker(app, queue).queued).is_stalled, _alarm(queue, _IDLE))]
    if threads:
        most_kb = app.conf.worker_max_memory_per_child or math.inf
        checks += [
            Check(Overdue(limit_s + LONGEST_S).is_stalled, _alarm(queue, _OVERDUE)),
            Check(lambda: memory_kb() > most_kb, _memory_limit_reached),
        ]
    # Half of the time limit is a lease, so running tasks have time to end.
    grace_s = LONGEST_S if math.isinf(limit_s) else max(LONGEST_S, limit_s / 2)
    wait = (stopped or Event()).wait
    Thread(target=end_when_needed, args=(checks, grace_s, wait), name="standstill", daemon=True).start()


def _alarm(queue: str, text: str) -> Callable[[], object]:
    return lambda: log.critical(ALARM, alarm="standstill", queue=queue, text=text)


def _memory_limit_reached() -> None:
    log.warning("memory_limit_reached", memory_mb=round(memory_kb() / 1024), text=_HEAVY)


def _kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def end_when_needed(
    checks: Sequence[Check],
    grace_s: float,
    wait: Callable[[float], object],
    kill: Callable[[signal.Signals], None] = _kill,
) -> None:
    """Check at each interval, until `wait` returns true. End this process if a check applies.

    Args:
        checks: The reasons; the first that applies is logged.
        grace_s: Time after SIGTERM (s) before SIGKILL.
        wait: Waits for some time (s), and returns whether to stop checking.
        kill: Sends a signal to this process.
    """
    asked = False
    while not wait(EVERY_S):
        found = [check for check in checks if _applies(check)]
        if not found:
            continue
        if asked:
            kill(signal.SIGKILL)
        found[0].log()
        asked = True
        kill(signal.SIGTERM)
        if wait(grace_s):
            return


def _applies(check: Check) -> bool:
    try:
        with fork_lock:
            return check.applies()
    except Exception as problem:  # noqa: BLE001 - the next check might succeed
        log.error("stall_check_failed", error=type(problem).__name__)  # noqa: TRY400 - one line says it
        return False
