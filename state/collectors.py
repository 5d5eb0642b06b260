"""How far each collector is: up to when all events that it accepted are in a stream.

While a collector holds events that Redis doesn't have, silence isn't known. So it is measured only up to the time that
every collector has reported. A collector that stops without removing its field may have left events in its spool: it
counts for a while longer, but not indefinitely.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from state.calls import collectors as lua
from state.keys import DAY_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

COLLECTOR_TTL_MS = 7 * DAY_MS
MISSING_AFTER_MS = 15 * 60 * 1000
"""How long a collector counts after it was last seen, unless a setting says otherwise."""
TIMES_BEHIND = 4
"""A collector that runs counts while it is behind by at most this many times as long."""
UNSEEN_MS = 10_000
"""A collector reports twice a second. After this time without a report it has disappeared."""
BEHIND_MS = 10_000
"""A collector is behind if events that it accepted earlier than this aren't in a stream."""
HOLDS_MS = 3000
"""After this time without a report that all events are in a stream, nothing is dispatched and no attempt goes on: an
order can be among the missing events. An event is overtaken by at most this much."""


class Figures(NamedTuple):
    """Counts since a collector was started, and the size of its spool."""

    spool_bytes: int = 0
    requests: int = 0
    events: int = 0
    refused: int = 0
    """Requests with another answer than 200."""
    damaged_bytes: int = 0
    """Events in the spool that couldn't be read and are lost."""

    def write(self) -> str:
        """Return them as they are stored."""
        return " ".join(map(str, self))


@dataclass(frozen=True, slots=True)
class CollectorMark:
    """What one collector last reported. Times are Unix ms of the server."""

    collector: str
    until_ms: int
    """All events that it accepted up to then are in a stream."""
    seen_ms: int
    figures: Figures

    @classmethod
    def read(cls, collector: str, stored: str) -> Self:
        """Read a field of the hash."""
        until_ms, seen_ms, *figures = map(int, stored.split(" "))
        return cls(collector, until_ms, seen_ms, Figures(*figures))

    def is_missing(self, now_ms: int) -> bool:
        """Whether it has disappeared."""
        return now_ms - self.seen_ms > UNSEEN_MS

    def is_behind(self, now_ms: int) -> bool:
        """Whether events that it accepted can be missing from the streams, beyond what takes a moment."""
        return now_ms - self.until_ms > BEHIND_MS

    def holds(self, now_ms: int, missing_after_ms: int) -> bool:
        """Whether no contact can be made until it reports."""
        return now_ms - self.until_ms > HOLDS_MS and self.counts(now_ms, missing_after_ms)

    def counts(self, now_ms: int, missing_after_ms: int) -> bool:
        """Whether silence has to stop where it is."""
        longest_ms = missing_after_ms if self.is_missing(now_ms) else TIMES_BEHIND * missing_after_ms
        late_ms = now_ms - (self.seen_ms if self.is_missing(now_ms) else self.until_ms)
        return late_ms <= longest_ms


def read_marks(stored: Mapping[str, str]) -> tuple[CollectorMark, ...]:
    """Read the hash of all collectors, the one that is furthest behind first."""
    marks = [CollectorMark.read(collector, text) for collector, text in stored.items()]
    return tuple(sorted(marks, key=lambda mark: (mark.until_ms, mark.collector)))


def held_until(marks: Sequence[CollectorMark], now_ms: int, missing_after_ms: int) -> int:
    """Return up to when silence can be measured as far as collectors are concerned; now if none holds it back."""
    return min((mark.until_ms for mark in marks if mark.counts(now_ms, missing_after_ms)), default=now_ms)


def holder_of(marks: Sequence[CollectorMark], now_ms: int, missing_after_ms: int) -> str:
    """Return the first collector without whose events no contact can be made; empty for none."""
    return next((mark.collector for mark in marks if mark.holds(now_ms, missing_after_ms)), "")


class Collectors:
    """The hash of all collectors."""

    def __init__(self, scripts: Scripts, keys: Keys, missing_after_ms: int = MISSING_AFTER_MS) -> None:
        self._scripts = scripts
        self._keys = keys
        self.missing_after_ms = missing_after_ms

    def sign(self, collector: str, until_ms: int, figures: Figures) -> int:
        """Report up to when all events are in a stream; 0 reports nothing. Return the server's time (Unix ms).

        Raises:
            StateError: the server doesn't answer.
        """
        call = lua.collector_sign(self._keys.collectors, collector, until_ms, figures.write(), COLLECTOR_TTL_MS)
        return self._scripts.run(call)

    def remove(self, collector: str) -> None:
        """Remove a collector that has stopped and holds no events.

        Raises:
            StateError: the server doesn't answer.
        """
        with driver_errors():
            self._scripts.client.hdel(self._keys.collectors, collector)

    def holding(self, now_ms: int) -> str:
        """Return the collector without whose events no contact can be made; empty for none.

        Raises:
            StateError: the server doesn't answer.
        """
        return holder_of(self.marks(), now_ms, self.missing_after_ms)

    def marks(self) -> tuple[CollectorMark, ...]:
        """Return what all collectors last reported, the one that is furthest behind first.

        Raises:
            StateError: the server doesn't answer.
        """
        with driver_errors():
            found = self._scripts.client.hgetall(self._keys.collectors)
        return read_marks({name.decode(): text.decode() for name, text in found.items()})
