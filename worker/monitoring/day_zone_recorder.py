"""Records the shop's time zone for the counters, with its offset at the moment."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from state import day_zone
from state.day_zone import DayZone
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts
from tasks.policy.law.zone_files import zone

EVERY_S = 60.0
"""An unchanged record is written at this interval, since a restored or failed over server can lack it."""


class DayZoneRecorder:
    """Writes the record when the offset changes, and each minute.

    Args:
        scripts: The server.
        keys: The namespace.
        time_zone: An IANA name.
        now: The time of the host.
        clock: Seconds, steady.

    Raises:
        KeyError: There is no such zone.
    """

    def __init__(
        self,
        scripts: Scripts,
        keys: Keys,
        time_zone: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._scripts = scripts
        self._keys = keys
        self._zone = zone(time_zone)
        self._name = time_zone
        self._now = now
        self._clock = clock
        self._recorded: DayZone | None = None
        self._recorded_at = 0.0

    def __call__(self) -> None:
        """Record the zone if needed. An error of the server only delays it: the next sweep tries again."""
        at, current = self._clock(), self._current()
        if current == self._recorded and at - self._recorded_at < EVERY_S:
            return
        with suppress(StateError):
            day_zone.record(self._scripts, self._keys, current)
            self._recorded, self._recorded_at = current, at

    def _current(self) -> DayZone:
        offset = self._now().astimezone(self._zone).utcoffset() or timedelta()
        return DayZone(self._name, offset // timedelta(milliseconds=1))
