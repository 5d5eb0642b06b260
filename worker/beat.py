"""Celery's own scheduler, which also says that it is alive: a beat that hangs looks healthy from outside."""

from time import monotonic

import celery.beat
import structlog

from state import deployment
from state.errors import StateError
from worker import runtime
from worker.settings import load

EVERY_S = 2.0

log = structlog.get_logger("winback.beat")


class Scheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Keeps its schedule in memory: there is nothing in it that the settings do not say."""

    _said = 0.0

    def setup_schedule(self) -> None:
        """Called once, when beat starts."""
        super().setup_schedule()
        self._state = runtime.open_state(load())

    def tick(self) -> float:
        """Publish what is due; return how long to sleep (s)."""
        sleep: float = super().tick()
        if monotonic() - self._said >= EVERY_S:
            self._said = monotonic()
            try:
                deployment.beat(self._state.scripts, self._state.keys, "beat")
            except StateError as exc:
                log.warning("state_away", error=str(exc))
        return min(sleep, EVERY_S)
