"""The thresholds while running: the sweep asks for them each time, and a bad edit changes nothing."""

import time
from collections.abc import Mapping
from pathlib import Path

from detectors.settings import DetectionSettings
from worker.errors import StartError
from worker.settings import Settings, load_detection

_SETTLED_S = 1.0


class DetectionReader:
    """Reads `[detection]` again at each call, for one version from start to end of a sweep.

    An edit that cannot be used keeps what was read last. So does a file that has vanished or was written within the
    last second: editors remove, truncate and write in steps, and half a file is a valid one whose thresholds have gone
    back to the defaults, on which shoppers would be contacted who are still within the time they were meant to have.
    """

    def __init__(self, settings: Settings, env: Mapping[str, str] | None = None) -> None:
        self._file: Path = settings.config
        self._env = env
        self._current = settings.detection
        self._problem: str | None = None
        self._was_there = self._file.exists()

    def __call__(self) -> tuple[DetectionSettings, str | None]:
        """What to sweep by, and what is wrong with the file as it is now (one line per problem; None: nothing)."""
        if not self._is_being_written():
            try:
                self._current = load_detection(self._file, self._env, required=self._was_there)
                self._problem = None
            except StartError as problem:
                self._problem = str(problem)
        return self._current, self._problem

    def _is_being_written(self) -> bool:
        try:
            age = time.time() - self._file.stat().st_mtime
        except OSError:
            return False
        self._was_there = True
        return 0 <= age < _SETTLED_S
