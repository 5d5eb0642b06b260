"""All streams of activity of a deployment: one, or as many as it takes, each on a server of its own.

An event may be in any of them: what a session becomes does not depend on the order in which its events are applied. How
many there are is recorded in Redis, so that whoever measures silence, or is about to contact somebody, looks at all of
them, with whatever settings it was started.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from state.calls import streams as lua
from state.calls.streams import ShopSilenceReply, WatermarkReply
from state.collectors import MISSING_AFTER_MS, Collectors, held_until
from state.driver import Word
from state.event_stream import (
    GROUP,
    Stream,
    StreamBatch,
    entries_of,
    entry_ms,
    entry_order,
    group_expected,
    send_acknowledge,
)
from state.keys import REJECTED_MAX_ENTRIES, REJECTED_TTL_MS, Keys, applied_of
from state.pending import Pending
from state.scripts import Scripts, unwrap
from state.server_errors import driver_errors
from state.watermark import AHEAD_MS, StreamTrails, measured_until

RECORDED = "streams"
"""The field of the deployment's record that says how many there are; without it there is one."""
SHORTEST_GAP_MS = 15_000
TIMES_TO_A_GAP = 3
"""A pause between two signs that events can be taken is a gap if it is longer than this, and than 3 usual ones."""
LONGEST_TURN_MS = 100
"""How long one of several streams is waited at, while events may come in another."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to when silence can be measured (Unix ms of the server)."""

    now_ms: int
    first: str
    """Id of the first entry that isn't applied yet; empty when there is none."""
    until_ms: int
    """The earliest of now, the arrival of the first entry not yet applied, and the times that collectors report."""
    collector_behind: str = ""
    """The collector that holds undelivered events and keeps silence from being measured; empty for none."""


class Streams:
    """The streams of activity and, beside them, the one stream of rejected events."""

    def __init__(
        self, scripts: Scripts, keys: Keys, at_least: int = 1, missing_after_ms: int = MISSING_AFTER_MS
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            scripts: The server.
            keys: The namespace.
            at_least: How many this process was told of; it looks at those also while the record is lost.
            missing_after_ms: How long a collector that has disappeared holds silence back.
        """
        self._scripts = scripts
        self._keys = keys
        self._at_least = at_least
        self._trails = StreamTrails(scripts, keys)
        self._collectors = Collectors(scripts, keys, missing_after_ms)

    @property
    def first(self) -> Stream:
        """The one that every deployment has."""
        return Stream(self._scripts, self._keys.events)

    def number(self) -> int:
        """Return how many streams there are; there is always one."""
        with driver_errors():
            recorded = int(self._scripts.client.hget(self._keys.deployment, RECORDED) or 1)
        return max(recorded, self._at_least)

    def ensure(self, number: int) -> list[Stream]:
        """Record that there are at least so many, and return all there are: more, if others said so before."""
        return self.first_streams(self._scripts.run(lua.register_streams(self._keys.deployment, number)))

    def all(self) -> list[Stream]:
        """Return the streams that there are, the first one first."""
        return self.first_streams(self.number())

    def read(
        self, streams: Sequence[Stream], consumer: str, *, count: int, block_ms: int, turn: int = 0
    ) -> list[StreamBatch]:
        """Read entries that no consumer has had, of all streams together about `count`, and wait when there are none.

        A server can wait at its own streams alone. Of several, one is waited at, the next in the next turn.

        Raises:
            GroupMissingError: create the groups.
        """
        if len(streams) > 1:
            found = self.send_read(streams, consumer, count=count).result()
            if found:
                return found
            block_ms = min(block_ms, LONGEST_TURN_MS)
        stream = streams[turn % len(streams)]
        entries = stream.read(consumer, count=_share(count, streams), block_ms=block_ms)
        return [StreamBatch(stream, entries)] if entries else []

    def send_read(self, streams: Sequence[Stream], consumer: str, *, count: int) -> Pending[list[StreamBatch]]:
        """Begin to read what `read` would, without waiting for new entries.

        Raises:
            GroupMissingError: (so does the result) create the groups.
        """
        share = _share(count, streams)
        replies = self._scripts.send([stream.reading(consumer, count=share) for stream in streams])

        def wait() -> list[StreamBatch]:
            with group_expected():
                read = [entries_of(unwrap(reply)) for reply in replies.result()]
            return [StreamBatch(stream, entries) for stream, entries in zip(streams, read, strict=True) if entries]

        return Pending(wait)

    def send_acknowledge(self, readings: Iterable[StreamBatch], *, one_read: bool) -> Pending[list[int]]:
        """Begin to do what `Stream.acknowledge` does, with each reading."""
        applied = [(stream.key, [entry.id for entry in entries]) for stream, entries in readings]
        return send_acknowledge(self._scripts, applied, one_read=one_read)

    def first_streams(self, number: int) -> list[Stream]:
        """Return the first so many streams."""
        return [Stream(self._scripts, self._keys.events_of(index)) for index in range(number)]

    def watermark(self) -> Watermark:
        """Read, of each stream, the clock and then the first entry not yet applied; return the earliest of both.

        In this order an active shopper is never missed. Streams on several servers have several clocks: the one that is
        behind counts, since its events say that they came earlier than they did. Where ids lie in the future, silence
        can be measured as far as sweeps have followed the stream (`follow`).

        Collectors come before the streams. An event that a collector delivers in between is then in a stream, or the
        collector's time is earlier than the event.
        """
        marks = self._collectors.marks()
        found = self._watermarks(self.all())
        ahead = any(first and entry_ms(first.encode()) > now + AHEAD_MS for now, first in found)
        trails = self._trails.trails(len(found)) if ahead else [None] * len(found)
        now_ms = min(now for now, _ in found)
        missing_after_ms = self._collectors.missing_after_ms
        applied_ms = min(measured_until(now, first, trail) for (now, first), trail in zip(found, trails, strict=True))
        behind = [mark for mark in marks if mark.is_behind(now_ms) and mark.counts(now_ms, missing_after_ms)]
        return Watermark(
            now_ms=now_ms,
            first=min((first for _, first in found if first), key=entry_order, default=""),
            until_ms=min(applied_ms, held_until(marks, now_ms, missing_after_ms)),
            collector_behind=behind[0].collector if behind else "",
        )

    def now_ms(self) -> int:
        """Return the time of the servers that the streams are on (Unix ms); of several, the latest."""
        return max(now for now, _ in self._watermarks(self.all()))

    def barrier(self) -> str:
        """Return the highest id that each stream has ever given out, the first one's first, separated by spaces."""
        return " ".join(self._last_ids())

    def barrier_passed(self, barrier: str) -> bool:
        """Whether all that had arrived when `barrier` was read has been applied."""
        ids = barrier.split(" ")
        firsts = [first for _, first in self._watermarks(self.first_streams(len(ids)))]
        return all(not first or entry_order(first) > entry_order(last) for first, last in zip(firsts, ids, strict=True))

    def shop_silence(self, max_silence_ms: int) -> ShopSilenceReply:
        """Return whether no event has come for longer than that (0: it may be silent), and whether that is news.

        A stream remembers the id that it gave out last, also after the entry was deleted. It is read before the
        clock: an event in between is seen by the next sweep. Of ids in the future counts when a sweep first saw them.
        """
        last = [entry_ms(last.encode()) for last in self._last_ids()]
        trails = self._trails.trails(len(last))
        last_ms = max(trail.arrived_ms if trail else ms for ms, trail in zip(last, trails, strict=True))
        return self._scripts.run(lua.shop_silence(self._keys.sweep, max_silence_ms, last_ms))

    def check(self) -> int:
        """Follow all streams, as every sweep does first; return how many entries were lost since the one before."""
        return self._trails.check([stream.key for stream in self.all()])

    def put_back(self, streams: Sequence[Stream]) -> dict[str, str]:
        """Begin streams from scratch that are empty and whose ids lie in the future; return their last ids by key."""
        calls = [lua.put_back_ids(stream.key, GROUP, AHEAD_MS, applied_of(stream.key)) for stream in streams]
        found = self._scripts.run_many(calls)
        return {stream.key: last for stream, last in zip(streams, found, strict=True) if last}

    def open_sweep(self, interval_ms: int) -> int:
        """Say that a sweep begins; return when events could be taken again after the last gap (Unix ms, 0: never).

        Sweeps, and signs between them (`confirm_writable`), follow each other at some pace. Where two are much further
        apart, events could not be taken: that time is not silence. `interval_ms`: how often sweeps are asked for.
        """
        return self._record_sign(interval_ms)

    def confirm_writable(self) -> None:
        """Say, between two sweeps, that events can be taken.

        Raises:
            StateError: They can't: a server of theirs does not answer, or takes no writes.
        """
        self._watermarks(self.all())
        self._record_sign("")

    def _record_sign(self, interval_ms: int | str) -> int:
        return self._scripts.run(lua.open_sweep(self._keys.sweep, SHORTEST_GAP_MS, TIMES_TO_A_GAP, interval_ms))

    def reject(self, entry_id: bytes, problems: Sequence[tuple[str, str]], *, applied: bool) -> None:
        """Set aside why an event, or (`applied`) a part of one, could not be read; keeps nothing of the event."""
        fields: dict[str, Word] = {
            "entry": entry_id,
            "field": problems[0][0] or "event",
            "reason": "; ".join(f"{field}: {message}" if field else message for field, message in problems[:10]),
            "applied": int(applied),
        }
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            pipe.xadd(self._keys.rejected, fields, maxlen=REJECTED_MAX_ENTRIES, approximate=True)
            pipe.pexpire(self._keys.rejected, REJECTED_TTL_MS)
            pipe.execute()

    def _watermarks(self, streams: Sequence[Stream]) -> list[WatermarkReply]:
        return self._scripts.run_many([lua.watermark(stream.key) for stream in streams])

    def _last_ids(self) -> list[str]:
        return self._scripts.run_many([lua.last_id(stream.key) for stream in self.all()])


def _share(count: int, streams: Sequence[Stream]) -> int:
    """Return how many entries to read from each, so that they make up a batch together."""
    return -(-count // len(streams))
