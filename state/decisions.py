"""Outreaches for an operator: found by state, retried, dropped or ended."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, islice
from typing import cast

from state.calls import outreaches as lua
from state.calls.outreaches import DecisionReply
from state.cipher import Cipher, Unencrypted
from state.keys import Keys
from state.outreach_texts import readable
from state.partitions import PARTITIONS, partition_of, partition_of_outreach
from state.script import Call
from state.scripts import Scripts
from state.server_errors import driver_errors

_Row = tuple[Mapping[bytes, bytes], float | None, float | None, float | None, float | None]
"""A record's hash and its scores: due, leased, dead, unknown."""
RETRY_UNKNOWN_AFTER_MS = 15 * 60 * 1000
"""Until then, a frozen worker or a request that Yuno hasn't decided on can still end."""
OPEN = frozenset({"waiting", "leased", "sending"})
STATES = ("waiting", "leased", "sending", "sent", "cancelled", "suppressed", "expired", "dead", "unknown")
Decision = Callable[[str, str], Call[DecisionReply]]
CHUNK, FEW = 500, 20
"""How many to read at a time; and of each partition at first, if few are requested."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of an outreach's history. Times are Unix ms of the server, here and below; 0: never."""

    at_ms: int
    text: str
    """Can quote a reply, and so be personal."""


@dataclass(frozen=True, slots=True)
class OutreachRecord:
    """An outreach as stored, without its request."""

    outreach: str
    state: str
    reason: str
    session: str
    """Empty if the session was erased while a request was in flight."""
    lane: str
    attempts: int
    threshold_ms: int
    claimed_ms: int
    expires_ms: int
    ended_ms: int
    due_ms: int
    """When it is due, if no worker has it."""
    lease_ends_ms: int
    """When its lease ends, if it has one."""
    waits_for_decision: bool
    ambiguous: bool
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The reply of a script to a decision: the word and detail are listed in the script's header."""

    outreach: str
    word: str
    detail: str = ""

    @property
    def done(self) -> bool:
        """Whether it was carried out."""
        return self.word in {"done", "retried"}


class Operator:
    """Reads outreaches and carries out an operator's decisions. `delay_ms`: added to the age of those to retry."""

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher | None = None, delay_ms: int = 0) -> None:
        self._scripts, self._keys, self._delay_ms = scripts, keys, delay_ms
        self._cipher: Cipher = cipher or Unencrypted()

    def read(self, outreaches: Sequence[str]) -> list[OutreachRecord | None]:
        """Return outreaches in the requested order; None for one that doesn't exist.

        Raises:
            ValueError: One isn't an outreach's id.
        """
        found: list[OutreachRecord | None] = []
        for start in range(0, len(outreaches), CHUNK):
            found += self._read(outreaches[start : start + CHUNK])
        return found

    def find(self, states: Iterable[str], *, few: int | None = None) -> Iterator[OutreachRecord]:
        """Yield the outreaches in these states. The cost for open and parked ones depends only on their number.

        For the others, all keys are scanned. One that changes state in the meantime can be missed.

        `few`: the caller wants this many. They are read on demand, open and parked ones first, each kind in the order
        of its due or end time, so the first ones cost the same however many there are.
        """
        wanted = frozenset(states)
        ended = bool(wanted - OPEN - {"dead", "unknown"})
        ids: Iterator[str]
        if few is not None:
            ids = chain(self._in_order(wanted), self._every() if ended else ())
        else:
            ids = self._every() if ended else self._in_sets(wanted)
        once, size = _unique(ids), min(CHUNK, max(2 * (few or CHUNK), FEW))
        while chunk := list(islice(once, size)):
            yield from (record for record in self._read(chunk) if record is not None and record.state in wanted)
            size = CHUNK

    def of_session(self, session_id: str) -> list[OutreachRecord]:
        """Return every outreach of a session, oldest first, from a scan of all keys: records outlive sessions."""
        number = partition_of(session_id)
        ids = (found for found in self._every(f"{number:02d}") if partition_of_outreach(found) == number)
        records: list[OutreachRecord] = []
        while chunk := list(islice(ids, CHUNK)):
            records += [record for record in self._read(chunk) if record and record.session == session_id]
        return sorted(records, key=lambda record: record.claimed_ms)

    def retry_dead(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """Retry dead outreaches. `dry_run`, here and below: only return the result."""
        args = "dead", 0, _word(dry_run=dry_run), self._delay_ms
        return self._decide(outreaches, lambda key, found: lua.retry(key, found, *args))

    def retry_unknown(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """Retry outreaches that have been unknown for 15 minutes."""
        args = "unknown", RETRY_UNKNOWN_AFTER_MS, _word(dry_run=dry_run), self._delay_ms
        return self._decide(outreaches, lambda key, found: lua.retry(key, found, *args))

    def drop(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """Drop dead outreaches for good; their outcome stays `dead`."""
        return self._decide(outreaches, lambda key, found: lua.discard_dead(key, found, _word(dry_run=dry_run)))

    def resolve_sent(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """Record that unknown outreaches were delivered."""
        return self._decide(outreaches, lambda key, found: lua.resolve_sent(key, found, _word(dry_run=dry_run)))

    def expire(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """End outreaches that have no request yet."""
        return self._decide(outreaches, lambda key, found: lua.expire(key, found, _word(dry_run=dry_run)))

    def _decide(self, outreaches: Sequence[str], call: Decision) -> list[DecisionResult]:
        calls = [call(self._keys.partition(partition_of_outreach(found)), found) for found in outreaches]
        replies = self._scripts.run_many(calls)
        return [DecisionResult(one, reply.word, reply.detail) for one, reply in zip(outreaches, replies, strict=True)]

    def _in_sets(self, states: frozenset[str]) -> Iterator[str]:
        for name in _places(states):
            with driver_errors():
                pipe = self._scripts.client.pipeline(transaction=False)
                for number in range(PARTITIONS):
                    pipe.zrange(f"{self._keys.partition(number)}{name}", 0, -1)
                replies: list[list[bytes]] = pipe.execute()
            yield from (member.decode() for members in replies for member in members)

    def _in_order(self, states: frozenset[str]) -> Iterator[str]:
        """Yield the outreaches of these states, the lowest score of each set first, page by page."""
        for name in _places(states):
            keys = [f"{self._keys.partition(number)}{name}" for number in range(PARTITIONS)]
            with driver_errors():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.zrange(key, 0, FEW - 1, withscores=True)
                heads: list[list[tuple[bytes, float]]] = pipe.execute()
            lines = [self._line(key, head) for key, head in zip(keys, heads, strict=True)]
            yield from (member for _, member in merge(*lines))

    def _line(self, key: str, head: Sequence[tuple[bytes, float]]) -> Iterator[tuple[float, str]]:
        at, page = 0, head
        while page:
            yield from ((score, member.decode()) for member, score in page)
            at += len(page)
            with driver_errors():
                page = self._scripts.client.zrange(key, at, at + CHUNK - 1, withscores=True)

    def _every(self, partition: str = "[0-9][0-9]") -> Iterator[str]:
        with driver_errors():
            pattern = f"{self._keys.namespace}:{{{partition}}}:outreach:*"
            for key in self._scripts.client.scan_iter(pattern, count=1000):
                yield key.decode().rpartition(":")[2]

    def _read(self, outreaches: Sequence[str]) -> list[OutreachRecord | None]:
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for found in outreaches:
                prefix = self._keys.partition(partition_of_outreach(found))
                pipe.hgetall(self._keys.outreach(found))
                for name in ("due", "leased", "dead", "unknown"):
                    pipe.zscore(f"{prefix}{name}", found)
            replies: list[Mapping[bytes, bytes] | float | None] = pipe.execute()
        rows = zip(outreaches, zip(*[iter(replies)] * 5, strict=True), strict=True)
        return [_record(found, cast("_Row", row), self._cipher) for found, row in rows]


def _word(*, dry_run: bool) -> str:
    return "dry_run" if dry_run else ""


def _places(states: frozenset[str]) -> list[str]:
    """Return the sets that hold outreaches of these states."""
    names = ["due"] if "waiting" in states else []
    names += ["leased"] if states & OPEN else []
    return names + [name for name in ("dead", "unknown") if name in states]


def _unique(ids: Iterable[str]) -> Iterator[str]:
    """Yield each id once. One that changes sets during the read is in both, and a scan can repeat any."""
    seen: set[str] = set()
    for found in ids:
        if found not in seen:
            seen.add(found)
            yield found


def _record(outreach: str, row: _Row, cipher: Cipher) -> OutreachRecord | None:
    stored, due, leased, dead, unknown = row
    if not stored:
        return None
    text = {name.decode(): value.decode() for name, value in stored.items()}

    def number(name: str) -> int:
        return int(text.get(name, 0))

    history = readable(cipher, outreach, text.get("history", ""))
    return OutreachRecord(
        outreach=outreach,
        state=text.get("state", ""),
        reason=text.get("reason", ""),
        session=text.get("session", ""),
        lane=text.get("lane", ""),
        attempts=number("attempts"),
        threshold_ms=number("threshold"),
        claimed_ms=number("claimed_at"),
        expires_ms=number("expires_at"),
        ended_ms=number("ended_at"),
        due_ms=int(due or 0),
        lease_ends_ms=int(leased or 0),
        waits_for_decision=dead is not None or unknown is not None,
        ambiguous="ambiguous" in text,
        history=tuple(_line(line) for line in history.splitlines()),
    )


def _line(written: str) -> HistoryLine:
    at, _, text = written.partition(" ")
    return HistoryLine(int(at), text) if at.isdecimal() else HistoryLine(0, written)
