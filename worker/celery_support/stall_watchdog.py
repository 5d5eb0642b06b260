"""A worker that takes no message any more ends itself, and whoever runs it starts it again.

It lives, says so, and does nothing: that has been seen of Celery workers after a broker was away, each time for another
reason. What all of them have in common can be seen from inside: messages wait, and nothing is taken or under way.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

import structlog
from celery import Celery
from celery.worker import state as worker_state

from tasks.broker import Broker, BrokerAwayError
from worker.celery_support.fork_lock import undivided
from worker.monitoring.alarms import ALARM

LONGEST_S = 60.0
"""How long messages may wait while nothing is taken."""
EVERY_S = 10.0

log = structlog.stdlib.get_logger("winback.standstill")


def taken() -> int:
    """Return how many tasks this worker has accepted since it started."""
    return sum(worker_state.total_count.values())


def in_hand() -> int:
    """Return how many tasks this worker has received and not ended."""
    return len(worker_state.reserved_requests) + len(worker_state.active_requests)


@dataclass(slots=True)
class Standstill:
    """Looks now and then whether this worker stands still. `clock`: seconds, steady."""

    queued: Callable[[], int]
    """How many messages wait; raises BrokerAwayError."""
    taken: Callable[[], int] = taken
    in_hand: Callable[[], int] = in_hand
    clock: Callable[[], float] = monotonic
    _known: int = -1
    _since: float = 0.0
    _looked: float = 0.0

    def is_one(self) -> bool:
        """Whether messages have waited at every look of the last `LONGEST_S`, and nothing was taken or in hand."""
        now, taken_now = self.clock(), self.taken()
        stood_still_itself = now - self._looked > 3 * EVERY_S
        self._looked = now
        try:
            idle = taken_now == self._known and not self.in_hand() and self.queued() > 0
        except BrokerAwayError:
            idle = False
        if not idle or stood_still_itself:
            self._known, self._since = taken_now, now
        return now - self._since >= LONGEST_S


def watch_for_it(app: Celery, queue: str, stopped: Event | None = None) -> None:
    """Look from a thread until the process ends; end it in order when it stands still, by force if that fails."""
    standstill, ended = Standstill(Broker(app, queue).queued), stopped or Event()

    def run() -> None:
        told = False
        while not ended.wait(EVERY_S):
            try:
                with undivided:
                    found = standstill.is_one()
            except Exception as problem:  # noqa: BLE001 - the next look may be better
                log.error("stall_check_failed", error=type(problem).__name__)  # noqa: TRY400 - one line says it
                continue
            if not found:
                continue
            if told:
                os.kill(os.getpid(), signal.SIGKILL)
            log.critical(ALARM, alarm="standstill", queue=queue, text="messages wait and none is taken: it ends itself")
            told = True
            os.kill(os.getpid(), signal.SIGTERM)
            ended.wait(LONGEST_S)

    Thread(target=run, name="standstill", daemon=True).start()
