"""Records how the scripts count silences, from the settings."""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from detectors.exit import EXIT
from detectors.flow import PLATFORMS, STAGES
from detectors.idle import IDLE
from detectors.lanes import milliseconds
from detectors.settings import DetectionSettings
from state import silence_counters
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts
from state.silence_counters import Method
from tasks.policy.settings import ContactSettings
from worker.settings.tuning import TuningSettings

EVERY_S = 60.0
"""An unchanged record is written at this interval, since a restored or failed over server can lack it."""


def method_of(tuning: TuningSettings, detection: DetectionSettings, contact: ContactSettings) -> Method | None:
    """Return how silences are counted; None: they aren't."""
    if not tuning.collect:
        return None
    return Method(
        horizons_ms=[milliseconds(horizon) for horizon in tuning.horizons],
        needs_cart=[stage in contact.needs_cart for stage in STAGES for _ in PLATFORMS],
        kinds=[IDLE.name] if detection.exit is not None else [IDLE.name, EXIT.name],
    )


class SilenceRecorder:
    """Writes the record when the settings change, and each minute.

    Args:
        scripts: The server.
        keys: The namespace.
        tuning: Whether and for which horizons silences are counted.
        contact: The stages that need a cart.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        scripts: Scripts,
        keys: Keys,
        tuning: TuningSettings,
        contact: ContactSettings,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._scripts, self._keys, self._clock = scripts, keys, clock
        self._tuning, self._contact = tuning, contact
        self._recorded: list[Method | None] = []
        self._recorded_at = 0.0

    def __call__(self, detection: DetectionSettings) -> None:
        """Record the method if needed. An error of the server only delays it: the next sweep tries again."""
        at, current = self._clock(), method_of(self._tuning, detection, self._contact)
        if [current] == self._recorded and at - self._recorded_at < EVERY_S:
            return
        with suppress(StateError):
            silence_counters.record(self._scripts, self._keys, current)
            self._recorded, self._recorded_at = [current], at
