"""Records the thresholds that the sweeps of this process apply, and logs changes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic

import structlog

from detectors.settings import DetectionSettings
from detectors.written_settings import changes, written
from state import applied_thresholds
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts

EVERY_S = 60.0
"""Interval at which an unchanged record is written, so that its age shows whether sweeps apply it."""

log = structlog.get_logger("winback.tasks")


class ThresholdRecorder:
    """Writes the record when the settings change, and every minute.

    Args:
        scripts: The server.
        keys: The namespace.
        sources: Returns the source of each setting that isn't a default. It is called once for each write.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        scripts: Scripts,
        keys: Keys,
        sources: Callable[[], Mapping[str, str]],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._scripts = scripts
        self._keys = keys
        self._sources = sources
        self._clock = clock
        self._recorded: DetectionSettings | None = None
        self._recorded_at = 0.0

    def __call__(self, settings: DetectionSettings) -> None:
        """Record the settings that a sweep is about to apply.

        A server error only delays this: the next sweep tries again.
        """
        now = self._clock()
        if settings == self._recorded and now - self._recorded_at < EVERY_S:
            return
        with suppress(StateError):
            self._record(settings)
            self._recorded, self._recorded_at = settings, now

    def _record(self, settings: DetectionSettings) -> None:
        new = written(settings)
        known = self._sources()
        sources = {name: known[name] for name in new if name in known}
        before = applied_thresholds.record(self._scripts, self._keys, new, sources)
        for change in changes(before, new) if before else ():
            log.info("threshold_changed", **change._asdict())
