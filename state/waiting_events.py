"""How many events wait in the streams, and since when; and what was set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from redis.exceptions import ResponseError

from state.driver import Client
from state.event_stream import GROUP, Item, Stream, entry_ms
from state.watermark import AHEAD_MS, Trail, measured_until


@dataclass(frozen=True, slots=True)
class Events:
    """The streams of activity, and what was set aside. Times are Unix ms of the server; None: there is none."""

    streams: int
    """How many there are."""
    waiting: int
    """Entries that are not applied yet."""
    pending: int
    """Those of them that a consumer has in hand."""
    oldest_ms: int | None
    unread_streams: Sequence[str]
    """Streams beyond those, in which events are all the same: nobody reads them, and nobody waits for them."""
    rejected: int
    """What could not be read, in the last days and of at most the last 10,000."""
    last_rejected_ms: int | None


class Waiting(NamedTuple):
    """What waits in the streams."""

    length: int
    pending: int
    oldest_ms: int | None


def read_streams(client: Client, streams: Sequence[Stream], now_ms: int, trails: Sequence[Trail | None]) -> Waiting:
    """Read how much waits in the streams, how much of it is in hand, and when the oldest of it arrived (Unix ms).

    The first entry is read after the clock, and after it how many there are. Of an entry whose id lies in the future,
    `trails` say since when it may have been there.
    """
    pipe = client.pipeline(transaction=False)
    for stream in streams:
        pipe.execute_command("XRANGE", stream.key, "-", "+", "COUNT", 1)
        pipe.xlen(stream.key)
        pipe.execute_command("XPENDING", stream.key, GROUP)
    replies: list[object] = pipe.execute(raise_on_error=False)
    for index, reply in enumerate(replies):
        if isinstance(reply, ResponseError) and "NOGROUP" in str(reply):
            replies[index] = {"pending": 0}  # nobody has read from it yet
        elif isinstance(reply, Exception):
            raise reply
    firsts = cast("list[Sequence[Item]]", replies[::3])
    lengths = cast("list[int]", replies[1::3])
    pending = cast("list[Mapping[str, int]]", replies[2::3])
    arrivals = [
        now_ms if arrived > now_ms + AHEAD_MS and trail is None else measured_until(now_ms, f"{arrived}-0", trail)
        for first, trail in zip(firsts, trails, strict=True)
        if (arrived := arrival(first)) is not None
    ]
    return Waiting(sum(lengths), sum(found["pending"] for found in pending), min(arrivals, default=None))


def read_unread(client: Client, keys: Sequence[str]) -> Sequence[str]:
    """Return those of these streams that hold events."""
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.xlen(key)
    lengths: list[int] = pipe.execute()
    return tuple(key for key, length in zip(keys, lengths, strict=True) if length)


def arrival(entries: Sequence[Item]) -> int | None:
    """Return when the first of some entries arrived (Unix ms); None: there is none."""
    return entry_ms(entries[0][0]) if entries else None
