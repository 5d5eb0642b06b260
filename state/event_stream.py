"""One stream of activity: read by consumers of one group, its entries deleted once they are applied."""

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
"""An entry as the server lists it: its id and fields. The shape of these differs with the protocol and the command."""


class StreamEntry(NamedTuple):
    """One entry of the stream; `event` is None when it has no such field."""

    id: bytes
    event: bytes | None

    @property
    def arrival_ms(self) -> int:
        """When the entry arrived, by the server's clock (Unix ms)."""
        return entry_ms(self.id)


class StreamBatch(NamedTuple):
    """Entries that were read from a stream."""

    stream: "Stream"
    entries: Sequence[StreamEntry]


class GroupMissingError(ServerUnavailableError):
    """The consumer group or the stream was deleted: create it again, from the beginning."""


class Stream:
    """One of a deployment's streams of activity."""

    def __init__(self, scripts: Scripts, key: str) -> None:
        self._scripts = scripts
        self.key = key

    def create_group(self) -> bool:
        """Create the consumer group, which begins with what waits already; False when it was there."""
        return self._scripts.run(lua.create_group(self.key, GROUP))

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[StreamEntry]:
        """Read entries that no consumer has had.

        Raises:
            GroupMissingError: call create_group.
        """
        return self._group_read(consumer, b">", count, block_ms)

    def read_pending(self, consumer: str, *, count: int, after: bytes = b"0") -> list[StreamEntry]:
        """Read what this consumer was given before and did not acknowledge: the first thing to do after a start."""
        return self._group_read(consumer, after, count, None)

    def deliveries(self, consumer: str) -> int:
        """Return how often the first of this consumer's pending entries was delivered; 0 when there is none."""
        with group_expected():
            found = self._scripts.client.xpending_range(self.key, GROUP, "-", "+", 1, consumer)
        return int(found[0]["times_delivered"]) if found else 0

    def take_over(self, consumer: str, *, idle_ms: int, count: int) -> int:
        """Make pending what another consumer has had for `idle_ms` without acknowledging; return how many entries.

        That is not a delivery: `read_pending` hands them out, and so decides how many are at risk together.
        """
        with group_expected():
            taken = self._scripts.client.xautoclaim(self.key, GROUP, consumer, idle_ms, "0-0", count=count, justid=True)
        return len(taken)

    def acknowledge(self, ids: Sequence[bytes], *, one_read: bool = False) -> int:
        """Remove applied entries from the stream and from the pending list in one step; return how many were there.

        `one_read`: they are all that one call of `read` returned, so no other entry lies between them.
        """
        return sum(send_acknowledge(self._scripts, [(self.key, ids)], one_read=one_read).result())

    def reading(self, consumer: str, *, count: int) -> Command:
        """Return the command that reads entries which no consumer has had, without waiting for any."""
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
    """Begin to acknowledge entries of several streams, given by key; the result is how many were there, by call."""
    calls = [
        lua.acknowledge(key, GROUP, int(one_read), applied_of(key), *ids[start : start + _ACKNOWLEDGE_CHUNK])
        for key, ids in applied
        for start in range(0, len(ids), _ACKNOWLEDGE_CHUNK)
    ]
    return scripts.send_calls(calls)


@contextmanager
def group_expected() -> Iterator[None]:
    """Raise GroupMissingError when the server says that the group, or the stream, is missing."""
    with driver_errors():
        try:
            yield
        except ResponseError as exc:
            # Before 7.2 Redis answers this to a reader that waits for entries while the stream is deleted. To a reader
            # on a primary that becomes a replica it answers UNBLOCKED with another reason.
            if "NOGROUP" in str(exc) or "UNBLOCKED the stream key" in str(exc):
                raise GroupMissingError("the consumer group of the event stream is missing") from exc
            raise


def entry_ms(entry_id: bytes) -> int:
    """Return the arrival (Unix ms) in an entry's id."""
    return int(entry_id.partition(b"-")[0])


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return a stream entry's id in a form that can be compared."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number or 0)


def entries_of(reply: object) -> list[StreamEntry]:
    """Return the entries in the reply to a reading of one stream."""
    items: Sequence[Item] = ()
    # One stream was asked for; RESP3 puts its entries one list deeper.
    if reply and isinstance(reply, list):
        items = reply[0][1]
    elif reply and isinstance(reply, dict):
        items = next(iter(reply.values()))[0]
    return [
        # Nearly all entries have this one field; the others need a closer look.
        StreamEntry(item[0], item[1][1]) if type(item[1]) is list and item[1][:-1] == _ONE_FIELD else entry_of(item)
        for item in items
    ]


def entry_of(item: Item) -> StreamEntry:
    """Return an entry as the server lists it."""
    entry_id, fields = item
    if fields is None:
        return StreamEntry(entry_id, None)
    if isinstance(fields, Mapping):
        return StreamEntry(entry_id, fields.get(FIELD))
    return StreamEntry(entry_id, dict(zip(fields[::2], fields[1::2], strict=True)).get(FIELD))
