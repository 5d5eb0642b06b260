"""The outcome feed: each outcome of an outreach on its way to the stream that the shop reads.

The script that ends an outreach puts its outcome into a sorted set of the same partition, in the same step. From there
it is added to the feed first and removed second, so a crash in between only repeats it. Entries carry an id by which
readers recognise a repetition.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple, Self

from state.calls import outcomes as lua
from state.event_stream import Item
from state.key_scan import CHUNK, decoded
from state.keys import DAY_MS, Keys
from state.partitions import PARTITIONS, partition_of_outreach
from state.scripts import Scripts
from state.server_errors import driver_errors

FEED_TTL_MS = 7 * DAY_MS
ID, OUTCOME = "id", "outcome"
"""The fields of an entry of the feed: its id, and the outcome as JSON."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome of an outreach. Times are Unix ms of the server."""

    place: int
    """Ascends in a partition."""
    outreach: str
    kind: str
    """A state in which an outreach ends, or `recovered`."""
    reason: str
    at_ms: int
    session: str
    """The stored id; empty if the person was erased in the meantime."""
    lane: str
    last: int
    """Sequence number of the last event before the silence."""
    contacted_at_ms: int
    order: str
    """As `state.attribution.Credit.packed`; empty except for `recovered`."""
    member: bytes = field(repr=False)
    """As it is stored."""

    @classmethod
    def read(cls, member: bytes) -> Self:
        """Read a member of the sorted set."""
        # A later version can add to them.
        place, outreach, kind, reason, at, session, lane, last, contacted_at, order, *_ = json.loads(member)
        return cls(
            int(place), outreach, kind, reason, int(at), session, lane, int(last), int(contacted_at), order, member
        )


class FeedEntry(NamedTuple):
    """An entry of the feed."""

    id: str
    """The same for each repetition."""
    body: str
    """The outcome as JSON."""


class Reader(NamedTuple):
    """A consumer group of the feed."""

    name: str
    unread: int
    """Entries that it hasn't read yet."""
    missed: int
    """Entries that were removed before it read them, because of the feed's limits."""


class StoredOutcome(NamedTuple):
    """An outcome as a scan of all keys sees it."""

    entry: bytes
    """Its id in the feed; empty while it waits for the relay."""
    text: str
    body: str
    """The outcome as JSON."""


class Snapshot(NamedTuple):
    """The feed at one moment."""

    length: int
    readers: Sequence[Reader]


class OutcomeFeed:
    """The outcomes of all partitions, and the feed."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def waiting(self, most: int) -> list[Outcome]:
        """Return up to `most` outcomes of each partition that aren't removed yet, in the order of their places.

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for number in range(PARTITIONS):
                pipe.zrange(self._keys.unmoved(number), 0, most - 1)
            found: list[list[bytes]] = pipe.execute()
        return sorted((Outcome.read(member) for members in found for member in members), key=attrgetter("place"))

    def append(self, entries: Iterable[FeedEntry], *, most: int) -> None:
        """Add entries to the feed, which keeps about `most`.

        Raises:
            StateError: Some may not have been added; repeat all.
        """
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for entry in entries:
                pipe.xadd(self._keys.outcomes, {ID: entry.id, OUTCOME: entry.body}, maxlen=most)
            pipe.execute()

    def remove(self, outcomes: Sequence[Outcome]) -> int:
        """Remove outcomes that are in the feed; return how many were lost because a partition's set was full.

        Raises:
            StateError: Some may still be there; the next round repeats them.
        """
        shares: dict[str, list[bytes]] = {}
        for one in outcomes:
            shares.setdefault(self._prefix(one.outreach), []).append(one.member)
        return sum(self._scripts.run_many([lua.moved(prefix, *members) for prefix, members in shares.items()]))

    def report(self, lost: int) -> None:
        """Record that a round is over, and how many outcomes were lost since the last one.

        Raises:
            StateError: The server doesn't answer.
        """
        self._scripts.run(lua.feed_report(self._keys.feed, lost, FEED_TTL_MS))

    def check(self, lost: int) -> int:
        """Do the same as `report`, and record the feed's size and readers; return the server's time (Unix ms).

        Raises:
            StateError: The server doesn't answer.
        """
        found = self.snapshot()
        readers = json.dumps(found.readers, separators=(",", ":"))
        return self._scripts.run(
            lua.feed_report(self._keys.feed, lost, FEED_TTL_MS, "length", found.length, "readers", readers)
        )

    def trim(self, before_ms: int) -> None:
        """Remove entries from before a time (Unix ms of the server), to the accuracy of a block of entries.

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            self._scripts.client.execute_command("XTRIM", self._keys.outcomes, "MINID", "~", f"{max(0, before_ms)}-0")

    def stored(self) -> Iterator[StoredOutcome]:
        """Yield all outcomes, those that wait for the relay first: one that moves in the meantime is found twice.

        Raises:
            StateError: The server doesn't answer.
        """
        for number in range(PARTITIONS):
            with driver_errors():
                members: list[bytes] = self._scripts.client.execute_command("ZRANGE", self._keys.unmoved(number), 0, -1)
            yield from (StoredOutcome(b"", member.decode(), member.decode()) for member in members)
        first = "-"
        items: Sequence[Item] = [(b"", ())]
        while items:
            with driver_errors():
                words = ("XRANGE", self._keys.outcomes, first, "+", "COUNT", CHUNK)
                items = self._scripts.client.execute_command(*words)
            for entry, fields in items:
                texts = decoded(fields)
                yield StoredOutcome(entry, str(texts), texts.get(OUTCOME, ""))
                first = f"({entry.decode()}"

    def erase(self, entries: Sequence[bytes]) -> None:
        """Remove entries of a person from the feed.

        Raises:
            StateError: Some may still be there; repeat it.
        """
        if entries:
            with driver_errors():
                self._scripts.client.execute_command("XDEL", self._keys.outcomes, *entries)
                self._scripts.client.hincrby(self._keys.feed, "erased", len(entries))

    def snapshot(self) -> Snapshot:
        """Return the number of entries, and how far the consumer groups have read them.

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            erased = int(self._scripts.client.hget(self._keys.feed, "erased") or 0)
        found = self._scripts.run(lua.feed_snapshot(self._keys.outcomes, erased))
        return Snapshot(found.length, tuple(Reader(*one) for one in found.readers))

    def _prefix(self, outreach: str) -> str:
        return self._keys.partition(partition_of_outreach(outreach))
