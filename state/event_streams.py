"""All streams of activity of a deployment: one or more, each on its own server.

Any stream can carry any event, because the order of applying events doesn't change a session. Their number is recorded
in Redis, so that every process that measures silence or contacts a person reads all of them, whatever its own settings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from state.calls import streams as lua
from state.calls.streams import ShopSilenceReply, WatermarkReply
from state.collectors import MISSING_AFTER_MS, Collectors, held_until, holder_of
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
"""The field of the deployment's record with their number; without it there is one."""
SHORTEST_GAP_MS = 15_000
TIMES_TO_A_GAP = 3
"""A pause between two such records is a gap if it is longer than this, and than three usual pauses."""
_LONGEST_SESSION = 128
LONGEST_TURN_MS = 100
"""How long to block on one of several streams, while events can arrive in another."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """The time up to which silence can be measured (Unix ms of the server)."""

    now_ms: int
    first: str
    """Id of the first entry that isn't applied; empty if there is none."""
    until_ms: int
    """The earliest of now, the arrival of the first entry that isn't applied, and the times that collectors report."""
    collector_behind: str = ""
    """The collector that holds undelivered events, so that no contact can be made; empty for none."""


class Streams:
    """The streams of activity and the stream of rejected events."""

    def __init__(
        self, scripts: Scripts, keys: Keys, at_least: int = 1, missing_after_ms: int = MISSING_AFTER_MS
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            scripts: The server.
            keys: The namespace.
            at_least: The configured number. This process reads those streams even if the record is lost.
            missing_after_ms: How long a missing collector holds silence back.
        """
        self._scripts = scripts
        self._keys = keys
        self._at_least = at_least
        self._trails = StreamTrails(scripts, keys)
        self._collectors = Collectors(scripts, keys, missing_after_ms)

    @property
    def first(self) -> Stream:
        """The stream that every deployment has."""
        return Stream(self._scripts, self._keys.events)

    def number(self) -> int:
        """Return the number of streams, at least 1."""
        with driver_errors():
            recorded = int(self._scripts.client.hget(self._keys.deployment, RECORDED) or 1)
        return max(recorded, self._at_least)

    def ensure(self, number: int) -> list[Stream]:
        """Record the minimum number of streams; return all of them, which can be more if more were recorded before."""
        return self.first_streams(self._scripts.run(lua.register_streams(self._keys.deployment, number)))

    def all(self) -> list[Stream]:
        """Return all streams, the first one first."""
        return self.first_streams(self.number())

    def read(
        self, streams: Sequence[Stream], consumer: str, *, count: int, block_ms: int, turn: int = 0
    ) -> list[StreamBatch]:
        """Return new entries, about `count` from all streams together; block if there are none.

        A server can only block on its own streams. Of several streams, one is blocked on, and the next one in the next
        `turn`.

        Raises:
            GroupMissingError: Create the groups.
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
        """Start the read of `read` without blocking for new entries.

        Raises:
            GroupMissingError: Create the groups. The result raises it too.
        """
        share = _share(count, streams)
        replies = self._scripts.send([stream.reading(consumer, count=share) for stream in streams])

        def wait() -> list[StreamBatch]:
            with group_expected():
                read = [entries_of(unwrap(reply)) for reply in replies.result()]
            return [StreamBatch(stream, entries) for stream, entries in zip(streams, read, strict=True) if entries]

        return Pending(wait)

    def send_acknowledge(self, readings: Iterable[StreamBatch], *, one_read: bool) -> Pending[list[int]]:
        """Start `Stream.acknowledge` for each reading."""
        applied = [(stream.key, [entry.id for entry in entries]) for stream, entries in readings]
        return send_acknowledge(self._scripts, applied, one_read=one_read)

    def first_streams(self, number: int) -> list[Stream]:
        """Return the first `number` streams."""
        return [Stream(self._scripts, self._keys.events_of(index)) for index in range(number)]

    def watermark(self) -> Watermark:
        """Return the earliest watermark of all streams.

        For each stream, the clock is read first, then the first entry that isn't applied.

        This order never misses an active shopper. Streams on several servers have several clocks, and the slowest one
        counts, since its events carry the earliest times. If ids are in the future, silence can be measured as far as
        sweeps have followed the stream (`follow`).

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
        return Watermark(
            now_ms=now_ms,
            first=min((first for _, first in found if first), key=entry_order, default=""),
            until_ms=min(applied_ms, held_until(marks, now_ms, missing_after_ms)),
            collector_behind=holder_of(marks, now_ms, missing_after_ms),
        )

    def collector_behind(self, now_ms: int) -> str:
        """Return the collector that holds undelivered events, so that no contact can be made; empty for none."""
        return self._collectors.holding(now_ms)

    def now_ms(self) -> int:
        """Return the time of the streams' servers (Unix ms); the latest one of several."""
        return max(now for now, _ in self._watermarks(self.all()))

    def barrier(self) -> str:
        """Return the highest id that each stream has assigned, in stream order, separated by spaces."""
        return " ".join(self._last_ids())

    def barrier_passed(self, barrier: str) -> bool:
        """Return whether everything that had arrived when `barrier` was read is applied."""
        ids = barrier.split(" ")
        firsts = [first for _, first in self._watermarks(self.first_streams(len(ids)))]
        return all(not first or entry_order(first) > entry_order(last) for first, last in zip(firsts, ids, strict=True))

    def shop_silence(self, max_silence_ms: int) -> ShopSilenceReply:
        """Return whether no event has arrived for longer than this (0: no limit), and whether that changed.

        A stream keeps its last id after the entry is deleted. It is read before the clock, so the next sweep sees an
        event in between. For ids in the future, the time at which a sweep first saw them counts.
        """
        last = [entry_ms(last.encode()) for last in self._last_ids()]
        trails = self._trails.trails(len(last))
        last_ms = max(trail.arrived_ms if trail else ms for ms, trail in zip(last, trails, strict=True))
        return self._scripts.run(lua.shop_silence(self._keys.sweep, max_silence_ms, last_ms))

    def check(self) -> int:
        """Follow all streams at the start of a sweep; return how many entries were lost since the last sweep."""
        return self._trails.check([stream.key for stream in self.all()])

    def put_back(self, streams: Sequence[Stream]) -> dict[str, str]:
        """Start empty streams from scratch if their ids are in the future; return their last ids by key."""
        calls = [lua.put_back_ids(stream.key, GROUP, AHEAD_MS, applied_of(stream.key)) for stream in streams]
        found = self._scripts.run_many(calls)
        return {stream.key: last for stream, last in zip(streams, found, strict=True) if last}

    def open_sweep(self, interval_ms: int) -> int:
        """Record the start of a sweep; return the end of the last gap (Unix ms, 0: none).

        Sweeps, and the records between them (`confirm_writable`), follow at a steady pace. If two of them are much
        further apart, events couldn't be taken in between, and that time isn't silence. `interval_ms`: the configured
        sweep interval.
        """
        return self._record_sign(interval_ms)

    def confirm_writable(self) -> None:
        """Record, between two sweeps, that events can be taken.

        Raises:
            StateError: They can't: a server doesn't answer or takes no writes.
        """
        self._watermarks(self.all())
        self._record_sign("")

    def _record_sign(self, interval_ms: int | str) -> int:
        return self._scripts.run(lua.open_sweep(self._keys.sweep, SHORTEST_GAP_MS, TIMES_TO_A_GAP, interval_ms))

    def reject(self, entry_id: bytes, problems: Sequence[tuple[str, str]], *, applied: bool, session: str = "") -> None:
        """Record why an event, or (`applied`) a part of one, couldn't be read. Only the event's session is kept."""
        fields: dict[str, Word] = {
            "entry": entry_id,
            "field": problems[0][0] or "event",
            "reason": "; ".join(f"{field}: {message}" if field else message for field, message in problems[:10]),
            "applied": int(applied),
            **({"session": session[:_LONGEST_SESSION]} if session else {}),
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
    """Return how many entries to read from each stream to fill one batch."""
    return -(-count // len(streams))
