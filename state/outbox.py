"""The outbox: every outreach from claim to end. Messages are hints; the outbox is authoritative."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Literal, cast

from state.calls import outreaches as lua
from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.keys import Keys
from state.outreach_texts import BODY, HISTORY, readable
from state.partitions import PARTITIONS, partition_of_outreach
from state.reaped import Reaped
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import Session, read_session

Ended = Literal["sent", "cancelled", "suppressed", "expired", "dead", "unknown"]
FenceVerdict = Literal["sending", "not_replicated", "cancelled", "busy", "lost"]
Result = Literal["sent", "dead", "suppressed", "unknown", "retry", "not_sent"]
MOST_TAKES = 5
"""After this many takes in a row without an orderly end, an outreach is dead, because it crashes its worker."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An outreach that this worker has taken, with its current session."""

    outreach: str
    token: int
    now_ms: int
    """The server's clock at the take."""
    lane: str
    last: int
    """Sequence number of the last event before the silence."""
    claimed_at_ms: int
    """When the sweep claimed it."""
    expires_at_ms: int
    """From when it is too late for a contact without delay."""
    arm: str
    """`<experiment>.<arm>` to which it was assigned; empty if it wasn't."""
    attempts: int
    barrier: str
    """The last id of each stream when it was dispatched."""
    body: str
    """The body of an earlier attempt, which every later one repeats; empty before the first."""
    key: str
    first_sending_ms: int
    ambiguous: bool
    session: Session
    unreadable: str = ""
    """Why the body of an earlier attempt is missing: it can't be decrypted."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The verdict of the fence: `sending` (with the attempt's number), `cancelled`, `busy` or `lost`.

    `not_replicated`: the state is `sending`, but too few replicas acknowledged it, so no request can start.
    """

    verdict: FenceVerdict
    attempt: int = 0


class Outbox:
    """The state of all outreaches. `lease_ms`: how long a worker can keep one without a renewal.

    `cipher` encrypts the body, and what a reply quotes from it.
    """

    def __init__(self, scripts: Scripts, keys: Keys, lease_ms: int, cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._keys = keys
        self._cipher: Cipher = cipher or Unencrypted()
        self.lease_ms = lease_ms

    def outcomes(self, outreaches: Sequence[str]) -> list[str]:
        """Return the outcome of outreaches: a state, with its reason after a dot; empty if the record is gone."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for outreach in outreaches:
                pipe.hmget(self._keys.outreach(outreach), "state", "reason")
            found = pipe.execute()
        return [".".join(part.decode() for part in pair if part) for pair in found]

    def leased(self) -> int:
        """Return how many outreaches are leased, in all partitions."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for number in range(PARTITIONS):
                pipe.zcard(self._keys.leased(number))
            return sum(pipe.execute())

    def due(self, limit: int, *, now_ms: int) -> list[int]:
        """Return the partitions of up to `limit` due outreaches, longest overdue first, one entry for each outreach."""
        if limit <= 0:
            return []
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for number in range(PARTITIONS):
                pipe.zrange(self._keys.due(number), "-inf", now_ms, byscore=True, offset=0, num=limit, withscores=True)
            heads = pipe.execute()
        lines = ([(score, number) for _, score in head] for number, head in enumerate(heads))
        return [number for _, number in islice(merge(*lines), limit)]

    def lease_due(self, limit: int, *, now_ms: int, barrier: str) -> list[str]:
        """Lease up to `limit` due outreaches, longest overdue first, and return their ids; see `lease`."""
        return self.lease(self.due(limit, now_ms=now_ms), barrier=barrier)

    def lease(self, partitions: Sequence[int], *, barrier: str) -> list[str]:
        """Lease outreaches that `due` found, unless another process has leased them, and return the ids.

        `barrier` is an earlier result of `Streams.barrier`: an attempt waits until all of it is applied.
        """
        if not partitions:
            return []
        shares = Counter(partitions)
        calls = [lua.lease_due(self._keys.partition(n), share, self.lease_ms, barrier) for n, share in shares.items()]
        return [outreach for leased in self._scripts.run_many(calls) for outreach in leased]

    def reap(self, limit: int = 500) -> Reaped:
        """Take back expired leases: outreaches that might have been sent end as unknown, the others are due again."""
        calls = [lua.reap(self._keys.partition(number), limit, self.lease_ms) for number in range(PARTITIONS)]
        return Reaped.of(self._scripts.run_many(calls))

    def put_back(self, by_ms: Mapping[int, int], *, limit: int = 500) -> None:
        """Make outreaches due earlier: in each partition by the amount its clock was put back, but not before now.

        `limit` bounds one script call, not the total.
        """
        left = dict.fromkeys(by_ms, 0)
        while left:
            calls = [lua.put_back_due(self._keys.partition(n), by_ms[n], start, limit) for n, start in left.items()]
            replies = self._scripts.run_many(calls)
            left = {number: start for number, start in zip(left, replies, strict=True) if start}

    def take(self, outreach: str) -> Taken | None:
        """Take an outreach; return None if it is taken, ended or backing off. Duplicate messages end here.

        Raises:
            ValueError: It isn't an outreach's id.
        """
        reply = self._scripts.run(lua.take(self._prefix(outreach), outreach, self.lease_ms, MOST_TAKES))
        if reply is None:
            return None
        record = reply.outreach
        body, unreadable = "", ""
        try:
            body = self._cipher.decrypt(outreach, BODY, "", record.get("body", ""))
        except UnreadableError as exc:
            unreadable = str(exc)
        return Taken(
            outreach=outreach,
            token=int(record["token"]),
            now_ms=reply.now_ms,
            lane=record["lane"],
            last=int(record["last"]),
            claimed_at_ms=int(record["claimed_at"]),
            expires_at_ms=int(record["expires_at"]),
            arm=record.get("arm", ""),
            attempts=int(record["attempts"]),
            barrier=record["barrier"],
            body=body,
            key=record.get("key", ""),
            first_sending_ms=int(record.get("first_sending", 0)),
            ambiguous="ambiguous" in record,
            session=read_session(record["session"], reply.session, self._cipher),
            unreadable=unreadable,
        )

    def end_unsent(self, taken: Taken, state: Ended, reason: str) -> str | None:
        """End an outreach before its fence; return its state, or None if another worker has it."""
        return self._scripts.run(
            lua.end_unsent(self._prefix(taken.outreach), taken.outreach, taken.token, state, reason)
        )

    def postpone(self, taken: Taken, *, delay_ms: int | None, why: str) -> bool:
        """Return an outreach before its fence; return False if another worker has it.

        `delay_ms` None: it keeps its earlier due time.
        """
        delay = "" if delay_ms is None else delay_ms
        return self._scripts.run(lua.postpone(self._prefix(taken.outreach), taken.outreach, taken.token, delay, why))

    def fence(self, taken: Taken, *, body: str, key: str, consent: str = "") -> Fenced:
        """Make the last check before a request. After `sending`, the outreach must be settled.

        It must also be settled after `not_replicated`, and after an error if it turns out to have passed.
        `consent`: the answers on which the contact rests, without personal data; they stay with the outreach.
        """
        sealed = self._cipher.encrypt(taken.outreach, BODY, "", body)
        call = lua.fence(
            self._prefix(taken.outreach),
            outreach=taken.outreach,
            token=taken.token,
            lease_ms=self.lease_ms,
            request_body=sealed,
            idempotency_key=key,
            consent=consent,
        )
        reply, replicated = self._scripts.run_confirmed(call)
        verdict = "not_replicated" if reply.verdict == "sending" and not replicated else reply.verdict
        return Fenced(cast("FenceVerdict", verdict), reply.attempt)

    def settle(
        self,
        taken: Taken,
        result: Result,
        *,
        reason: str = "",
        delay_ms: int = 0,
        line: str = "",
        quoted: str = "",
        ambiguous: bool = False,
    ) -> str | None:
        """Record the result of an attempt; return the outreach's state, or None if another worker has it.

        `quoted`, for the end of the history line, can repeat personal data: it is encrypted like a body.
        """
        if quoted:
            line += " " + self._cipher.encrypt(taken.outreach, HISTORY, "", " ".join(quoted.split()))
        return self._scripts.run(
            lua.settle(
                self._prefix(taken.outreach),
                outreach=taken.outreach,
                token=taken.token,
                result=result,
                reason=reason,
                delay_ms=delay_ms,
                line=line,
                is_ambiguous=int(ambiguous),
            )
        )

    def readable(self, outreach: str, history: str) -> str:
        """Return an outreach's history with its encrypted parts decrypted, or marked as unreadable."""
        return readable(self._cipher, outreach, history)

    def _prefix(self, outreach: str) -> str:
        return self._keys.partition(partition_of_outreach(outreach))
