"""What sweeps learn from following the streams: up to when all is applied, and faults of their entries.

An entry's id gives its arrival, unless it is ahead of the server's clock. `XADD` takes any id, and the ids of a stream
only rise: after one in the future they tell no time. Only their order remains. So a sweep records the last id and the
time. Once the first waiting entry has a higher id, all that had arrived by then is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from state.calls import streams as lua
from state.event_stream import entry_ms, entry_order
from state.keys import Keys, applied_of
from state.scripts import Scripts
from state.server_errors import driver_errors

AHEAD_MS = 1000
"""Ids that are ahead of the server's clock by less than this count as now: clocks differ, and are corrected."""
HIGHEST_ID = "18446744073709551615-18446744073709551615"


class Ahead(NamedTuple):
    """Ids that were ahead of the clock."""

    at_ms: int
    by_ms: int
    last: str
    """The last id."""


@dataclass(frozen=True, slots=True)
class StreamSnapshot:
    """One stream at one moment of its server."""

    now_ms: int
    first: str
    """Id of the first entry that isn't applied; empty if there is none."""
    last: str
    """The highest id that it has assigned."""
    added: int
    """Entries ever added; -1: the server doesn't report it."""
    length: int
    applied: int
    put_back: str = ""
    """When it was started from scratch because its ids were in the future (Unix ms), and its last id; empty for never.
    """

    @property
    def ahead_ms(self) -> int:
        """How far its ids are ahead of the clock; 0 for small differences."""
        ahead_ms = entry_ms(self.last.encode()) - self.now_ms
        return ahead_ms if ahead_ms > AHEAD_MS else 0

    @property
    def ahead(self) -> Ahead:
        """When its ids were last ahead of the clock; zeros for never."""
        if self.ahead_ms:
            return Ahead(self.now_ms, self.ahead_ms, self.last)
        at, _, last = self.put_back.partition(" ")
        return Ahead(int(at), entry_ms(last.encode()) - int(at), last) if at else Ahead(0, 0, "")

    @property
    def missing(self) -> int | None:
        """Entries that are neither present nor applied, since the counts began; None: unknown."""
        return None if self.added < 0 else self.added - self.applied - self.length


@dataclass(frozen=True, slots=True)
class Trail:
    """The record of a stream whose ids are in the future. Times are Unix ms of its server."""

    passed_ms: int
    """All that had arrived by then is applied; 0: unknown."""
    mark_ms: int
    mark: str
    """The last id at `mark_ms`."""
    arrived_ms: int
    """When the last id was first seen."""
    last: str

    @classmethod
    def read(cls, stored: str | None) -> Self | None:
        """Return the trail that `write` wrote; None for nothing."""
        if stored is None:
            return None
        passed, mark_ms, mark, arrived, last = stored.split(" ")
        return cls(int(passed), int(mark_ms), mark, int(arrived), last)

    def write(self) -> str:
        """Return the stored form."""
        return f"{self.passed_ms} {self.mark_ms} {self.mark} {self.arrived_ms} {self.last}"


def next_trail(snapshot: StreamSnapshot, known: Trail | None) -> Trail | None:
    """Return a stream's trail after another snapshot; None if its ids can be trusted."""
    if not snapshot.ahead_ms:
        return None
    now_ms = snapshot.now_ms
    if known is None or max(known.mark_ms, known.arrived_ms, known.passed_ms) > now_ms + AHEAD_MS:
        # New, or the clock was put back in between: the time before is unknown.
        return Trail(0 if snapshot.first else now_ms, now_ms, snapshot.last, now_ms, snapshot.last)
    arrived_ms = known.arrived_ms if snapshot.last == known.last else now_ms
    if not snapshot.first:
        return Trail(now_ms, now_ms, snapshot.last, arrived_ms, snapshot.last)
    if entry_order(snapshot.first) > entry_order(known.mark):
        return Trail(known.mark_ms, now_ms, snapshot.last, arrived_ms, snapshot.last)
    return Trail(known.passed_ms, known.mark_ms, known.mark, arrived_ms, snapshot.last)


def measured_until(now_ms: int, first: str, trail: Trail | None) -> int:
    """Return up to when all that arrived in a stream is applied (Unix ms).

    Args:
        now_ms: The server's clock, read before `first`.
        first: Id of the first entry that isn't applied; empty if there is none.
        trail: The stream's trail, if its ids are in the future.
    """
    if not first:
        return now_ms
    arrival_ms = entry_ms(first.encode())
    if arrival_ms <= now_ms + AHEAD_MS:
        return min(now_ms, arrival_ms)
    return min(now_ms, trail.passed_ms) if trail else 0


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of the streams' entries. Times are Unix ms; None: never, as far as known."""

    ahead_ms: int = 0
    """How far ids were ahead of the server's clock, when a sweep last found any."""
    ahead_at_ms: int | None = None
    ahead_in: str = ""
    """The stream."""
    exhausted: bool = False
    """Its last id is the highest possible: it takes no events."""
    lost: int = 0
    """Entries that were removed before they were applied, in total."""
    lost_at_ms: int | None = None

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Self:
        """Return the faults from the hash of the sweep."""
        at, by, stream, last = (stored.get("ahead") or "0 0  ").split(" ")
        lost_at = stored.get("lost_at")
        return cls(
            ahead_ms=int(by),
            ahead_at_ms=int(at) or None,
            ahead_in=stream,
            exhausted=last == HIGHEST_ID,
            lost=int(stored.get("lost", 0)),
            lost_at_ms=int(lost_at) if lost_at else None,
        )


class StreamTrails:
    """The trails of all streams, in the hash of the sweep."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def check(self, streams: Sequence[str]) -> int:
        """Take snapshots of all streams, given by key; return how many entries were lost since the last call.

        Two processes can do this at the same time: each recorded fact is true on its own.
        """
        snapshots = [
            StreamSnapshot(*reply)
            for reply in self._scripts.run_many([lua.stream_snapshot(key, applied_of(key)) for key in streams])
        ]
        self._record(snapshots, streams)
        missing = [
            (index, snapshot.missing) for index, snapshot in enumerate(snapshots) if snapshot.missing is not None
        ]
        if not missing:
            return 0
        words = [word for pair in missing for word in pair]
        return self._scripts.run(lua.count_lost(self._keys.sweep, *words))

    def trails(self, number: int) -> list[Trail | None]:
        """Return the trails of the first `number` streams."""
        with driver_errors():
            found = self._scripts.client.hmget(self._keys.sweep, [_field(index) for index in range(number)])
        return [Trail.read(stored.decode() if stored else None) for stored in found]

    def _record(self, snapshots: Sequence[StreamSnapshot], streams: Sequence[str]) -> None:
        known = self.trails(len(snapshots))
        latest = max(range(len(snapshots)), key=lambda index: snapshots[index].ahead)
        if not any(known) and not snapshots[latest].ahead.at_ms:
            return
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for index, (snapshot, before) in enumerate(zip(snapshots, known, strict=True)):
                if trail := next_trail(snapshot, before):
                    pipe.hset(self._keys.sweep, _field(index), trail.write())
                elif before:
                    pipe.hdel(self._keys.sweep, _field(index))
            at_ms, by_ms, last = snapshots[latest].ahead
            if at_ms:
                pipe.hset(self._keys.sweep, "ahead", f"{at_ms} {by_ms} {streams[latest]} {last}")
            pipe.execute()


def _field(index: int) -> str:
    return f"trail.{index}"
