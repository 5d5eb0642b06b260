"""The stream of activity: read by consumers of one group, deleted once applied."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from state.errors import ServerUnavailableError
from state.keys import REJECTED_MAX_ENTRIES, REJECTED_TTL_MS, Keys
from state.scripts import Argument, Call, Scripts, raised, translated

GROUP = "ingest"
FIELD = b"event"
_ACKNOWLEDGE_CHUNK = 5000  # Lua's stack holds about 8,000 unpacked arguments


class Entry(NamedTuple):
    """One entry of the stream; `event` is None when it has no such field."""

    id: bytes
    event: bytes | None

    @property
    def arrival_ms(self) -> int:
        """When the entry arrived, by the server's clock (Unix ms)."""
        return entry_ms(self.id)


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to when silence can be measured (Unix ms of the server)."""

    now_ms: int
    first: str
    """Id of the first entry that nobody has applied yet; empty when there is none."""

    @property
    def until_ms(self) -> int:
        """The earlier of now and the arrival of the first entry not yet applied."""
        return min(self.now_ms, entry_ms(self.first.encode())) if self.first else self.now_ms


class GroupMissingError(ServerUnavailableError):
    """The consumer group or the stream was deleted: create it again, from the beginning."""


class Stream:
    """The activity stream and, beside it, the stream of rejected events."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def create_group(self) -> bool:
        """Create the consumer group; False when it was there. From 0, never from `$`: what waits must be read."""
        with translated():
            try:
                self._scripts.client.xgroup_create(self._keys.events, GROUP, id="0", mkstream=True)
            except ResponseError as exc:
                if "BUSYGROUP" in str(exc):
                    return False
                raise
        return True

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[Entry]:
        """Read entries that no consumer has had.

        Raises:
            GroupMissingError: call create_group.
        """
        return self._group_read(consumer, b">", count, block_ms)

    def begin_read(self, consumer: str, *, count: int) -> Callable[[], list[Entry]]:
        """Begin to read what `read` would without waiting for any; what is returned waits for the reply.

        Raises:
            GroupMissingError: (so does what is returned) call create_group.
        """
        replies = self._scripts.begin([self._group_command(consumer, b">", count, None)])

        def wait() -> list[Entry]:
            with _group_expected():
                return _entries(raised(replies()[0]))

        return wait

    def read_pending(self, consumer: str, *, count: int, after: bytes = b"0") -> list[Entry]:
        """Read what this consumer was given before and did not acknowledge: the first thing to do after a start."""
        return self._group_read(consumer, after, count, None)

    def deliveries(self, consumer: str) -> int:
        """Return how often the first of this consumer's pending entries was delivered; 0 when there is none."""
        with _group_expected():
            found = self._scripts.client.xpending_range(self._keys.events, GROUP, "-", "+", 1, consumer)
        return int(found[0]["times_delivered"]) if found else 0

    def take_over(self, consumer: str, *, idle_ms: int, count: int) -> int:
        """Make pending what another consumer has had for `idle_ms` without acknowledging; return how many entries.

        That is not a delivery: `read_pending` hands them out, and so decides how many are at risk together.
        """
        with _group_expected():
            taken = self._scripts.client.xautoclaim(
                self._keys.events, GROUP, consumer, idle_ms, "0-0", count=count, justid=True
            )
        return len(taken)

    def acknowledge(self, ids: Sequence[bytes], *, one_read: bool = False) -> int:
        """Remove applied entries from the stream and from the pending list in one step; return how many were there.

        `one_read`: they are all that one call of `read` returned, so no other entry lies between them.
        """
        return sum(self.begin_acknowledge(ids, one_read=one_read)())

    def begin_acknowledge(self, ids: Sequence[bytes], *, one_read: bool = False) -> Callable[[], list[int]]:
        """Begin to acknowledge; what is returned waits until it is done."""
        chunks = (ids[start : start + _ACKNOWLEDGE_CHUNK] for start in range(0, len(ids), _ACKNOWLEDGE_CHUNK))
        calls: list[Call] = [(self._keys.events, (GROUP, int(one_read), *chunk)) for chunk in chunks]
        return self._scripts.begin_many("acknowledge", calls)

    def reject(self, entry_id: bytes, problems: Sequence[tuple[str, str]], *, applied: bool) -> None:
        """Set aside why an event, or (`applied`) a part of one, could not be read; keeps nothing of the event."""
        fields: dict[str, Any] = {
            "entry": entry_id,
            "field": problems[0][0] or "event",
            "reason": "; ".join(f"{field}: {message}" if field else message for field, message in problems[:10]),
            "applied": int(applied),
        }
        with translated():
            pipe = self._scripts.client.pipeline(transaction=False)
            pipe.xadd(self._keys.rejected, fields, maxlen=REJECTED_MAX_ENTRIES, approximate=True)
            pipe.pexpire(self._keys.rejected, REJECTED_TTL_MS)
            pipe.execute()

    def watermark(self) -> Watermark:
        """Read the clock, then the first entry not yet applied: in this order an active shopper is never missed."""
        now, first = self._scripts.run("watermark", self._keys.events)
        return Watermark(int(now), first.decode())

    def shop_is_silent(self, max_silence_ms: int) -> tuple[bool, bool]:
        """Return whether no event has come for longer than that (0: it may be silent), and whether that is news.

        The stream remembers the id that it gave out last, also after the entry was deleted. It is read before the
        clock: an event in between is seen by the next sweep.
        """
        last_ms = entry_ms(self.last_id().encode())
        silent, news = self._scripts.run("silence", self._keys.sweep, max_silence_ms, last_ms)
        return bool(silent), bool(news)

    def open_sweep(self, hole_ms: int) -> int:
        """Say that a sweep begins; return when events could be taken again after the last hole (Unix ms, 0: never).

        Between two sweeps more than `hole_ms` apart events could not be taken: that time is not silence.
        """
        return int(self._scripts.run("open_sweep", self._keys.sweep, hole_ms))

    def first(self) -> str:
        """Return the id of the first entry not yet applied; empty when there is none."""
        with translated():
            found = self._scripts.client.execute_command("XRANGE", self._keys.events, "-", "+", "COUNT", 1)
        return _entry(found[0]).id.decode() if found else ""

    def last_id(self) -> str:
        """Return the highest id that the stream has ever given out; `0-0` when there is no stream."""
        with translated():
            try:
                info = self._scripts.client.xinfo_stream(self._keys.events)
            except ResponseError as exc:
                if "no such key" in str(exc).lower():
                    return "0-0"
                raise
        found: Any = info["last-generated-id"]
        return found.decode() if isinstance(found, bytes) else str(found)

    def _group_read(self, consumer: str, after: bytes, count: int, block_ms: int | None) -> list[Entry]:
        with _group_expected():
            return _entries(
                self._scripts.client.execute_command(*self._group_command(consumer, after, count, block_ms))
            )

    def _group_command(self, consumer: str, after: bytes, count: int, block_ms: int | None) -> tuple[Argument, ...]:
        block = () if block_ms is None else ("BLOCK", block_ms)
        return ("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", count, *block, "STREAMS", self._keys.events, after)


@contextmanager
def _group_expected() -> Iterator[None]:
    with translated():
        try:
            yield
        except ResponseError as exc:
            # Before 7.2 Redis says UNBLOCKED to who waits for entries while the stream is deleted.
            if "NOGROUP" in str(exc) or "UNBLOCKED" in str(exc):
                raise GroupMissingError("the consumer group of the event stream is missing") from exc
            raise


def entry_ms(entry_id: bytes) -> int:
    """Return the arrival (Unix ms) in an entry's id."""
    return int(entry_id.partition(b"-")[0])


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return a stream entry's id in a form that can be compared."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number or 0)


def _entries(reply: Any) -> list[Entry]:  # noqa: ANN401 - shapes differ with the protocol and between drivers
    if not reply:
        return []
    # One stream was asked for; RESP3 puts its entries one list deeper.
    items = reply[0][1] if isinstance(reply, list) else next(iter(reply.values()))[0]
    return [_entry(item) for item in items]


def _entry(item: Any) -> Entry:  # noqa: ANN401 - shapes differ with the protocol and between drivers
    entry_id, fields = item
    if fields is None:
        return Entry(entry_id, None)
    if isinstance(fields, dict):
        return Entry(entry_id, fields.get(FIELD))
    if len(fields) == 2 and fields[0] == FIELD:  # noqa: PLR2004 - one name and one value
        return Entry(entry_id, fields[1])
    return Entry(entry_id, dict(zip(fields[::2], fields[1::2], strict=True)).get(FIELD))
