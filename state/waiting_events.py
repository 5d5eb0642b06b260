"""The number and age of waiting events in the streams, and the rejected ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from redis.exceptions import ResponseError

from state.driver import Client
from state.event_stream import GROUP, Item, Stream, entry_ms
from state.watermark import AHEAD_MS, Trail, measured_until


@dataclass(frozen=True, slots=True)
class Events:
    """The streams of activity and the rejected events. Times are Unix ms of the server; None: there is none."""

    streams: int
    """Number of streams."""
    waiting: int
    """Entries that aren't applied yet."""
    pending: int
    """The part of them that a consumer holds."""
    oldest_ms: int | None
    unread_streams: Sequence[str]
    """Further streams that hold events although no process reads them."""
    rejected: int
    """Rejected events of the last days, at most the last 10,000."""
    last_rejected_ms: int | None


class Waiting(NamedTuple):
    """The waiting entries of the streams."""

    length: int
    pending: int
    oldest_ms: int | None


def read_streams(client: Client, streams: Sequence[Stream], now_ms: int, trails: Sequence[Trail | None]) -> Waiting:
    """Return the number of waiting entries, how many of them a consumer holds, and when the oldest arrived (Unix ms).

    The first entry is read after the clock, and the number of entries after it. For an entry whose id is in the future,
    `trails` give the earliest time of its arrival.
    """
    pipe = client.pipeline(transaction=False)
    for stream in streams:
        pipe.execute_command("XRANGE", stream.key, "-", "+", "COUNT", 1)
        pipe.xlen(stream.key)
        pipe.execute_command("XPENDING", stream.key, GROUP)
    replies: list[object] = pipe.execute(raise_on_error=False)
    for index, reply in enumerate(replies):
        if isinstance(reply, ResponseError) and "NOGROUP" in str(reply):
            replies[index] = {"pending": 0}  # no consumer has read from it yet
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
    """Return the streams that hold events."""
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.xlen(key)
    lengths: list[int] = pipe.execute()
    return tuple(key for key, length in zip(keys, lengths, strict=True) if length)


def arrival(entries: Sequence[Item]) -> int | None:
    """Return when the first of some entries arrived (Unix ms); None without any."""
    return entry_ms(entries[0][0]) if entries else None
