"""Progress of detection and sending: stamps by which a silent stop shows. Times are Unix ms of the server."""

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
"""Takes are stamped at this interval at most: a stamp for each of them would say no more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """When each step happened last; None: it never has."""

    swept_ms: int | None = None
    """A sweep had claimed everything that it was to claim."""
    dispatched_ms: int | None = None
    """A dispatch round ended without an error."""
    taken_ms: int | None = None
    """A worker took an outreach."""
    untaken_ms: int | None = None
    """A lease ran out that no worker had taken."""
    undecided_ms: int | None = None
    """The first take since an attempt last came to a decision."""
    waits_ms: Mapping[str, int] = field(default_factory=dict)
    """Threshold of each lane, as that sweep applied it."""


class Stamps:
    """Writes the stamps. `clock`: seconds, steady."""

    def __init__(self, scripts: Scripts, keys: Keys, *, clock: Callable[[], float] = monotonic) -> None:
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._taken_at = -STAMP_EVERY_S

    def swept(self, waits_ms: Mapping[str, int]) -> None:
        """Stamp the end of a sweep, with the threshold of each lane.

        Raises:
            StateError: the stamp is missing, so the sweep counts as one that did not end.
        """
        self._stamp("swept", "waits", json.dumps(waits_ms, separators=(",", ":")))

    def dispatched(self, *, untaken: int) -> None:
        """Stamp the end of a dispatch round. `untaken`: leases that ran out without a worker.

        Raises:
            StateError: as for `swept`.
        """
        self._stamp("dispatched")
        if untaken:
            self._stamp("untaken")

    def taken(self) -> bool:
        """Stamp that a worker took an outreach; False when this process has just done so, or the server is away.

        After True, call `decided` once the attempt has come to a decision.
        """
        now = self._clock()
        if now - self._taken_at < STAMP_EVERY_S:
            return False
        self._taken_at = now
        try:
            self._stamp("taken")
        except StateError:
            # The attempt itself meets the same server, and says so.
            return False
        return True

    def decided(self) -> None:
        """Stamp that an attempt came to a decision: it sent, gave up, or knows until when it waits."""
        with suppress(StateError):
            self._stamp("decided")

    def _stamp(self, step: str, *kept: str) -> None:
        self._scripts.run(lua.stamp(self._keys.control, step, *kept))


def read_progress(stored: Mapping[str, str], now_ms: int) -> Progress:
    """Read the stamps, from their hash. A stamp from the future says nothing: the clock has been put back since."""

    def at(step: str) -> int | None:
        found = int(stored.get(step, 0))
        return found if 0 < found <= now_ms + CLOCKS_DIFFER_MS else None

    waits = json.loads(stored.get("waits", "{}"))
    return Progress(at("swept"), at("dispatched"), at("taken"), at("untaken"), at("undecided"), waits)
