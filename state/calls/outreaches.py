"""The scripts of the outbox: an outreach from its lease to its end, and an operator's decisions about it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, flag, mapping, number, script, text_or_none, texts


@script(texts)
def lease_due(most: int, lease_ms: int, last_ids: str) -> Arguments:
    """Lease due outreaches. The reply: their ids."""
    return most, lease_ms, last_ids


class ReapReply(NamedTuple):
    """The expired leases of one partition."""

    due_again: int
    unknown: int
    missing: int
    untaken: int
    """The part of `due_again` that no worker had taken."""
    ahead_ms: int
    """How far the clock was put back since the partition last stored a due time (ms; 0: it wasn't)."""

    @classmethod
    def parse(cls, reply: tuple[int, int, int, int, int]) -> Self:
        """Return the parsed reply of reap.lua."""
        return cls(*reply)


@script(ReapReply.parse)
def reap(most: int, lease_ms: int) -> Arguments:
    """Take back expired leases."""
    return most, lease_ms


@script(number)
def put_back_due(step: int, from_ms: int, most: int) -> Arguments:
    """Make outreaches due earlier by `step` (ms). The reply: the time from which to continue (ms); 0 at the end."""
    return step, from_ms, most


class TakeReply(NamedTuple):
    """A taken outreach."""

    now_ms: int
    outreach: Mapping[str, str]
    session: Mapping[str, str]

    @classmethod
    def parse(cls, reply: tuple[bytes, Sequence[bytes], Sequence[bytes]] | None) -> Self | None:
        """Return the parsed reply of take.lua; None if the outreach can't be taken."""
        if reply is None:
            return None
        now_ms, outreach, session = reply
        return cls(int(now_ms), mapping(outreach), mapping(session))


@script(TakeReply.parse)
def take(outreach: str, lease_ms: int, most_takes: int) -> Arguments:
    """Take an outreach."""
    return outreach, lease_ms, most_takes


class FenceReply(NamedTuple):
    """The verdict of the fence."""

    verdict: str
    """`sending`, `cancelled`, `busy` or `lost`."""
    attempt: int
    """The number of this attempt; 0 unless `sending`."""

    @classmethod
    def parse(cls, reply: Sequence[bytes | int]) -> Self:
        """Return the parsed reply of fence.lua."""
        verdict, *more = reply
        return cls(str(verdict, "ascii") if isinstance(verdict, bytes) else "", int(more[0]) if more else 0)


@script(FenceReply.parse)
def fence(
    *, outreach: str, token: int, lease_ms: int, request_body: str, idempotency_key: str, consent: str
) -> Arguments:
    """Pass the fence before a request."""
    return outreach, token, lease_ms, request_body, idempotency_key, consent


@script(text_or_none)
def settle(
    *, outreach: str, token: int, result: str, reason: str, delay_ms: int, line: str, is_ambiguous: int
) -> Arguments:
    """Record the result of an attempt. The reply: the state of the outreach; None if another worker has it."""
    return outreach, token, result, reason, delay_ms, line, is_ambiguous


@script(text_or_none)
def end_unsent(outreach: str, token: int, ending: str, reason: str) -> Arguments:
    """End an outreach before its fence. The reply is that of `settle`."""
    return outreach, token, ending, reason


@script(flag)
def postpone(outreach: str, token: int, delay_ms: int | str, reason: str) -> Arguments:
    """Return an outreach before its fence. The reply: whether this attempt still had it."""
    return outreach, token, delay_ms, reason


@script(flag)
def credit(outreach: str, order: str, window_ms: int) -> Arguments:
    """Credit a contact with an order. The reply: whether it counts."""
    return outreach, order, window_ms


class DecisionReply(NamedTuple):
    """The outcome of an operator's decision: a word and its detail, as in the header of each script."""

    word: str
    detail: str

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Return the parsed reply of any script for decisions."""
        word, *detail = texts(reply)
        return cls(word, detail[0] if detail else "")


@script(DecisionReply.parse)
def retry(outreach: str, wanted: str, rests_ms: int, dry_run: str, delay_ms: int) -> Arguments:
    """Retry an outreach."""
    return outreach, wanted, rests_ms, dry_run, delay_ms


@script(DecisionReply.parse)
def discard_dead(outreach: str, dry_run: str) -> Arguments:
    """Drop a dead outreach."""
    return outreach, dry_run


@script(DecisionReply.parse)
def resolve_sent(outreach: str, dry_run: str) -> Arguments:
    """Record that an unknown outreach was delivered."""
    return outreach, dry_run


@script(DecisionReply.parse)
def expire(outreach: str, dry_run: str) -> Arguments:
    """End an outreach that has no request yet."""
    return outreach, dry_run
