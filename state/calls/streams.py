"""The scripts for the streams of activity."""

from typing import NamedTuple, Self

from state.script import Arguments, flag, number, script, text


@script(number)
def acknowledge(group: str, is_one_read: int, counter: str, *ids: bytes) -> Arguments:
    """Remove applied entries. The reply: how many were deleted."""
    return group, is_one_read, counter, *ids


@script(flag)
def create_group(group: str) -> Arguments:
    """Create the consumer group. The reply: whether it is new."""
    return (group,)


@script(number)
def register_streams(wanted: int) -> Arguments:
    """Record the minimum number of streams. The reply: how many there are."""
    return (wanted,)


@script(text)
def last_id() -> Arguments:
    """Read the highest id that a stream has assigned."""
    return ()


class WatermarkReply(NamedTuple):
    """How far a stream is applied."""

    now_ms: int
    first: str
    """Id of the first entry that isn't applied; empty for none."""

    @classmethod
    def parse(cls, reply: tuple[bytes, bytes]) -> Self:
        """Return the parsed reply of watermark.lua."""
        now_ms, first = reply
        return cls(int(now_ms), first.decode())


@script(WatermarkReply.parse)
def watermark() -> Arguments:
    """Read the clock, and the first entry of a stream that isn't applied."""
    return ()


class LookReply(NamedTuple):
    """A stream at one moment."""

    now_ms: int
    first: str
    last: str
    added: int
    length: int
    applied: int
    put_back: str

    @classmethod
    def parse(cls, reply: tuple[bytes, bytes, bytes, int, int, int, bytes]) -> Self:
        """Return the parsed reply of stream_snapshot.lua."""
        now_ms, first, last, added, length, applied, put_back = reply
        return cls(int(now_ms), first.decode(), last.decode(), added, length, applied, put_back.decode())


@script(LookReply.parse)
def stream_snapshot(counter: str) -> Arguments:
    """Read a stream's snapshot."""
    return (counter,)


@script(number)
def count_lost(*missing: int) -> Arguments:
    """Count missing entries. `missing`: stream, number of entries, and so on. The reply: how many are new."""
    return missing


@script(text)
def put_back_ids(group: str, ahead_ms: int, counter: str) -> Arguments:
    """Start a stream from scratch if its ids are in the future. The reply: its last id; empty if it wasn't done."""
    return group, ahead_ms, counter


@script(number)
def open_sweep(least_ms: int, times_usual: int, interval_ms: int | str) -> Arguments:
    """Record that events can be taken. The reply: the end of the last gap (ms; 0: none)."""
    return least_ms, times_usual, interval_ms


class ShopSilenceReply(NamedTuple):
    """Whether the whole shop is silent."""

    is_silent: bool
    is_new: bool
    """Whether this has changed."""

    @classmethod
    def parse(cls, reply: tuple[bytes, int]) -> Self:
        """Return the parsed reply of shop_silence.lua."""
        is_silent, is_new = reply
        return cls(bool(is_silent), bool(is_new))


@script(ShopSilenceReply.parse)
def shop_silence(most_ms: int, last_arrival: int) -> Arguments:
    """Record whether the whole shop is silent."""
    return most_ms, last_arrival
