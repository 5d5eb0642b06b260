"""Progress of detection and sending: stamps that reveal a stall. Times are Unix ms of the server."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from state.calls import monitoring as lua
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts
from state.sending_control import CLOCKS_DIFFER_MS

STAMP_EVERY_S = 1.0
"""The interval at which takes are stamped: more stamps would add no information."""


@dataclass(frozen=True, slots=True)
class Progress:
    """When each step last happened; None: never."""

    swept_ms: int | None = None
    """A sweep finished its claims."""
    dispatched_ms: int | None = None
    """A dispatch round ended without an error."""
    taken_ms: int | None = None
    """A worker took an outreach."""
    untaken_ms: int | None = None
    """A lease expired that no worker had taken."""
    undecided_ms: int | None = None
    """The first take since an attempt last reached a decision."""
    waits_ms: Mapping[str, int] = field(default_factory=dict)
    """Threshold of each lane, as that sweep applied it."""


class Stamps:
    """Writes the stamps. `clock`: monotonic seconds."""

    def __init__(self, scripts: Scripts, keys: Keys, *, clock: Callable[[], float] = monotonic) -> None:
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._taken_at = -STAMP_EVERY_S

    def swept(self, waits_ms: Mapping[str, int]) -> None:
        """Stamp the end of a sweep, with the threshold of each lane.

        Raises:
            StateError: The stamp is missing, so the sweep counts as unfinished.
        """
        self._stamp("swept", "waits", json.dumps(waits_ms, separators=(",", ":")))

    def dispatched(self, *, untaken: int) -> None:
        """Stamp the end of a dispatch round. `untaken`: leases that expired without a worker.

        Raises:
            StateError: As for `swept`.
        """
        self._stamp("dispatched")
        if untaken:
            self._stamp("untaken")

    def taken(self) -> bool:
        """Stamp a take; return False if this process has just done so, or the server is down.

        After True, call `decided` once the attempt has reached a decision.
        """
        now = self._clock()
        if now - self._taken_at < STAMP_EVERY_S:
            return False
        self._taken_at = now
        try:
            self._stamp("taken")
        except StateError:
            # The attempt meets the same server and reports the error.
            return False
        return True

    def decided(self) -> None:
        """Stamp that an attempt reached a decision: it sent, ended, or has a time until which it waits."""
        with suppress(StateError):
            self._stamp("decided")

    def _stamp(self, step: str, *kept: str) -> None:
        self._scripts.run(lua.stamp(self._keys.control, step, *kept))


def read_progress(stored: Mapping[str, str], now_ms: int) -> Progress:
    """Return the stamps from their hash. Stamps in the future are ignored: the clock was put back since."""

    def at(step: str) -> int | None:
        found = int(stored.get(step, 0))
        return found if 0 < found <= now_ms + CLOCKS_DIFFER_MS else None

    waits = json.loads(stored.get("waits", "{}"))
    return Progress(at("swept"), at("dispatched"), at("taken"), at("untaken"), at("undecided"), waits)
