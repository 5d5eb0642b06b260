"""The scripts of the recorder."""

from typing import NamedTuple, Self

from state.script import Arguments, number, script, text


class SignReply(NamedTuple):
    """The counts of a stream's copies."""

    copied: int
    uncopied: int
    """Applied entries for which there was no room, or no recorder."""
    recorded: int
    """Copies that were written to a file."""
    waiting: int

    @classmethod
    def parse(cls, reply: tuple[int, int, int, int]) -> Self:
        """Return the parsed reply of recorder_sign.lua."""
        return cls(*map(int, reply))


@script(SignReply.parse)
def recorder_sign(counter: str, ahead_ms: int, *, limit: int, bytes_: int) -> Arguments:
    """Ask for copies for this long, and read the counts."""
    return counter, ahead_ms, limit, bytes_


@script(number)
def recorded(counter: str, bytes_: int, *ids: bytes) -> Arguments:
    """Remove copies, whose events have this many bytes. The reply: how many were removed."""
    return counter, bytes_, *ids


@script(text)
def recorder_report(*, ttl_ms: int, written: int, lost: int, why: str, bytes_: int, stops: int) -> Arguments:
    """Record what the recorder did. The reply: when entries were last lost (ms); empty if none were."""
    return ttl_ms, written, lost, why, bytes_, stops
