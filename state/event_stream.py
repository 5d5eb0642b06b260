"""One stream of activity: one consumer group reads it, and applied entries are deleted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from redis.exceptions import ResponseError

from state.calls import streams as lua
from state.driver import Command
from state.errors import ServerUnavailableError
from state.keys import applied_of
from state.pending import Pending
from state.scripts import Scripts
from state.server_errors import driver_errors

GROUP = "ingest"
FIELD = b"event"
_ONE_FIELD = [FIELD]
_ACKNOWLEDGE_CHUNK = 5000  # Lua's stack holds about 8,000 unpacked arguments


Item = tuple[bytes, Sequence[bytes] | Mapping[bytes, bytes] | None]
"""An entry as the server lists it: its id and fields. Their shape depends on protocol and command."""


class StreamEntry(NamedTuple):
    """One entry of the stream; `event` is None if it has no such field."""

    id: bytes
    event: bytes | None

    @property
    def arrival_ms(self) -> int:
        """When the entry arrived, by the server's clock (Unix ms)."""
        return entry_ms(self.id)


class StreamBatch(NamedTuple):
    """Entries that were read from one stream."""

    stream: "Stream"
    entries: Sequence[StreamEntry]


class GroupMissingError(ServerUnavailableError):
    """The consumer group or the stream was deleted. Create it again, from the beginning."""


class Stream:
    """One of a deployment's streams of activity."""

    def __init__(self, scripts: Scripts, key: str) -> None:
        self._scripts = scripts
        self.key = key

    def create_group(self) -> bool:
        """Create the consumer group at the start of the stream; return False if it existed."""
        return self._scripts.run(lua.create_group(self.key, GROUP))

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[StreamEntry]:
        """Return entries that no consumer has read.

        Raises:
            GroupMissingError: Call create_group.
        """
        return self._group_read(consumer, b">", count, block_ms)

    def read_pending(self, consumer: str, *, count: int, after: bytes = b"0") -> list[StreamEntry]:
        """Return entries that this consumer read before and didn't acknowledge. Call it first after a start."""
        return self._group_read(consumer, after, count, None)

    def deliveries(self, consumer: str) -> int:
        """Return how often the first of this consumer's pending entries was delivered; 0 without any."""
        with group_expected():
            found = self._scripts.client.xpending_range(self.key, GROUP, "-", "+", 1, consumer)
        return int(found[0]["times_delivered"]) if found else 0

    def take_over(self, consumer: str, *, idle_ms: int, count: int) -> int:
        """Take over entries that another consumer has left unacknowledged for `idle_ms`; return how many.

        This isn't a delivery: `read_pending` delivers them, and so limits how many are at risk together.
        """
        with group_expected():
            taken = self._scripts.client.xautoclaim(self.key, GROUP, consumer, idle_ms, "0-0", count=count, justid=True)
        return len(taken)

    def acknowledge(self, ids: Sequence[bytes], *, one_read: bool = False) -> int:
        """Remove applied entries from the stream and the pending list in one step; return how many existed.

        `one_read`: they are all entries of one `read` call, so no other entry lies between them.
        """
        return sum(send_acknowledge(self._scripts, [(self.key, ids)], one_read=one_read).result())

    def reading(self, consumer: str, *, count: int) -> Command:
        """Return the command that reads new entries without blocking."""
        return self._group_command(consumer, b">", count, None)

    def _group_read(self, consumer: str, after: bytes, count: int, block_ms: int | None) -> list[StreamEntry]:
        with group_expected():
            return entries_of(
                self._scripts.client.execute_command(*self._group_command(consumer, after, count, block_ms))
            )

    def _group_command(self, consumer: str, after: bytes, count: int, block_ms: int | None) -> Command:
        block = () if block_ms is None else ("BLOCK", block_ms)
        return ("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", count, *block, "STREAMS", self.key, after)


def send_acknowledge(
    scripts: Scripts, applied: Iterable[tuple[str, Sequence[bytes]]], *, one_read: bool
) -> Pending[list[int]]:
    """Start to acknowledge entries of several streams, by key; the result is how many existed, by call."""
    calls = [
        lua.acknowledge(key, GROUP, int(one_read), applied_of(key), *ids[start : start + _ACKNOWLEDGE_CHUNK])
        for key, ids in applied
        for start in range(0, len(ids), _ACKNOWLEDGE_CHUNK)
    ]
    return scripts.send_calls(calls)


@contextmanager
def group_expected() -> Iterator[None]:
    """Raise GroupMissingError if the server reports that the group or the stream is missing."""
    with driver_errors():
        try:
            yield
        except ResponseError as exc:
            # Before 7.2, Redis answers this to a blocked reader if the stream is deleted. A blocked reader on a primary
            # that becomes a replica gets UNBLOCKED with another reason.
            if "NOGROUP" in str(exc) or "UNBLOCKED the stream key" in str(exc):
                raise GroupMissingError("the consumer group of the event stream is missing") from exc
            raise


def entry_ms(entry_id: bytes) -> int:
    """Return the arrival (Unix ms) from an entry's id."""
    return int(entry_id.partition(b"-")[0])


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return a stream entry's id in a form that can be compared."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number or 0)


def entries_of(reply: object) -> list[StreamEntry]:
    """Return the entries in the reply to a read of one stream."""
    items: Sequence[Item] = ()
    # The read names one stream; RESP3 nests its entries one list deeper.
    if reply and isinstance(reply, list):
        items = reply[0][1]
    elif reply and isinstance(reply, dict):
        items = next(iter(reply.values()))[0]
    return [
        # Nearly all entries have this one field; the others take the slow path.
        StreamEntry(item[0], item[1][1]) if type(item[1]) is list and item[1][:-1] == _ONE_FIELD else entry_of(item)
        for item in items
    ]


def entry_of(item: Item) -> StreamEntry:
    """Return an entry from the server's form."""
    entry_id, fields = item
    if fields is None:
        return StreamEntry(entry_id, None)
    if isinstance(fields, Mapping):
        return StreamEntry(entry_id, fields.get(FIELD))
    return StreamEntry(entry_id, dict(zip(fields[::2], fields[1::2], strict=True)).get(FIELD))
