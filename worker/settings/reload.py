"""The thresholds while running: the sweep reads them each time, and a bad edit changes nothing."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from detectors.settings import DetectionSettings
from worker.errors import StartError
from worker.logs.masking import one_line
from worker.settings import Settings
from worker.settings.errors import explain
from worker.settings.sources import read_layers

_SETTLED_S = 1.0
_MOST_NAMED = 5


def load_detection(path: Path, env: Mapping[str, str] | None = None, *, required: bool = False) -> DetectionSettings:
    """Return `[detection]`, read again: the environment over the file over the defaults.

    Args:
        path: The file, `settings.config`.
        env: The environment; None: the process's.
        required: Whether a missing file is an error; False: it is an empty one.

    Raises:
        StartError: One line for each problem of this section, or the file can't be read.
    """
    env = os.environ if env is None else env
    layers = read_layers(Settings, env, path, required=required)
    try:
        return DetectionSettings.model_validate(layers.merged().get("detection", {}))
    except ValidationError as error:
        raise StartError("\n".join(explain(error, layers, Settings, ("detection",)))) from None


def _set_in(section: BaseModel, before: str = "") -> Iterator[str]:
    """Yield the keys that were set in a section, and in those below it."""
    for name in section.model_fields_set:
        value = getattr(section, name)
        below = value.items() if isinstance(value, dict) else [("", value)]
        for key, each in below:
            path = f"{before}{name}.{key}" if key else f"{before}{name}"
            if isinstance(each, BaseModel):
                yield from _set_in(each, f"{path}.")
            else:
                yield path


class CurrentDetection(NamedTuple):
    """The settings for a sweep, and the problem of the current file."""

    settings: DetectionSettings
    problem: str | None
    """One line for each; None: there is none."""


class DetectionReader:
    """Reads `[detection]` at each call, so that a sweep uses one version from start to end.

    An unusable edit keeps the last version. So does a file that has vanished or was written within the last second, and
    one that lacks keys that were set before. Editors remove, truncate and write in steps, disks run full, and half a
    file is a valid one with default thresholds. With those, shoppers would be contacted before their intended time.
    """

    def __init__(self, settings: Settings, env: Mapping[str, str] | None = None) -> None:
        self._file: Path = settings.config
        self._env = env
        self._current = settings.detection
        self._problem: str | None = None
        self._was_there = self._file.exists()

    def __call__(self) -> CurrentDetection:
        """Return the thresholds of the next sweep."""
        if not self._is_being_written():
            try:
                read = load_detection(self._file, self._env, required=self._was_there)
                self._require_all(read)
                self._current = read
                self._problem = None
            except StartError as problem:
                self._problem = str(problem)
        return CurrentDetection(self._current, self._problem)

    def _require_all(self, read: DetectionSettings) -> None:
        """Compare with the keys that were set before.

        Raises:
            StartError: Some are missing now.
        """
        removed = sorted(set(_set_in(self._current)) - set(_set_in(read)))
        if removed:
            more = f" and {len(removed) - _MOST_NAMED} more" if len(removed) > _MOST_NAMED else ""
            names = ", ".join(f"detection.{key}" for key in removed[:_MOST_NAMED])
            raise StartError(
                f"{one_line(str(self._file))}: {names}{more}: missing now, so the file may have been cut off: "
                "write the default to go back to it, or restart sweep to use the file as it is"
            )

    def _is_being_written(self) -> bool:
        try:
            age = time.time() - self._file.stat().st_mtime
        except OSError:
            return False
        self._was_there = True
        return 0 <= age < _SETTLED_S
