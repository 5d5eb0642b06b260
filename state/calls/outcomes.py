"""The scripts of the outcome feed."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from state.script import Arguments, number, script


@script(number)
def moved(*outcomes: bytes) -> Arguments:
    """Remove outcomes that are in the feed. The reply: how many were lost since the last call."""
    return outcomes


@script(number)
def feed_report(lost: int, ttl_ms: int, *found: str | int) -> Arguments:
    """Record that outcomes were moved. `found`: field, value, and so on. The reply: the server's time (ms)."""
    return lost, ttl_ms, *found


class FeedSnapshotReply(NamedTuple):
    """The size of the feed and its readers."""

    length: int
    readers: Sequence[tuple[str, int, int]]
    """Consumer groups: name, unread entries, missed entries."""

    @classmethod
    def parse(cls, reply: Sequence[int | bytes]) -> Self:
        """Return the parsed reply of feed_snapshot.lua."""
        length, *groups = reply
        names, counts = groups[::3], zip(groups[1::3], groups[2::3], strict=True)
        return cls(
            int(length),
            [
                (name.decode(errors="replace") if isinstance(name, bytes) else str(name), int(unread), int(missed))
                for name, (unread, missed) in zip(names, counts, strict=True)
            ],
        )


@script(FeedSnapshotReply.parse)
def feed_snapshot(erased: int) -> Arguments:
    """Read the size of the feed and how far its readers are."""
    return (erased,)
