"""The scripts of the outbox: an outreach from its lease to its end, and decisions of an operator about it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, flag, mapping, number, script, text_or_none, texts


@script(texts)
def lease_due(most: int, lease_ms: int, last_ids: str) -> Arguments:
    """Lease outreaches that are due. The reply: their ids."""
    return most, lease_ms, last_ids


class ReapReply(NamedTuple):
    """What became of leases that ran out in one partition."""

    due_again: int
    unknown: int
    missing: int
    untaken: int
    """Those of `due_again` that no worker had taken."""
    ahead_ms: int
    """By how much the clock was put back since the partition last stored a due time (ms; 0: it was not)."""

    @classmethod
    def parse(cls, reply: tuple[int, int, int, int, int]) -> Self:
        """Read the reply of reap.lua."""
        return cls(*reply)


@script(ReapReply.parse)
def reap(most: int, lease_ms: int) -> Arguments:
    """Take back leases that ran out."""
    return most, lease_ms


@script(number)
def put_back_due(step: int, from_ms: int, most: int) -> Arguments:
    """Make outreaches due earlier by `step` (ms). The reply: from which time on to go on (ms), 0 when it is done."""
    return step, from_ms, most


class TakeReply(NamedTuple):
    """An outreach that was taken."""

    now_ms: int
    outreach: Mapping[str, str]
    session: Mapping[str, str]

    @classmethod
    def parse(cls, reply: tuple[bytes, Sequence[bytes], Sequence[bytes]] | None) -> Self | None:
        """Read the reply of take.lua; None: there is nothing to take."""
        if reply is None:
            return None
        now_ms, outreach, session = reply
        return cls(int(now_ms), mapping(outreach), mapping(session))


@script(TakeReply.parse)
def take(outreach: str, lease_ms: int, most_takes: int) -> Arguments:
    """Take an outreach."""
    return outreach, lease_ms, most_takes


class FenceReply(NamedTuple):
    """What the fence said."""

    verdict: str
    """`sending`, `cancelled`, `busy` or `lost`."""
    attempt: int
    """The number of this attempt; 0 unless `sending`."""

    @classmethod
    def parse(cls, reply: Sequence[bytes | int]) -> Self:
        """Read the reply of fence.lua."""
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
    """Record how an attempt went. The reply: the state of the outreach; None: it isn't ours any more."""
    return outreach, token, result, reason, delay_ms, line, is_ambiguous


@script(text_or_none)
def end_unsent(outreach: str, token: int, ending: str, reason: str) -> Arguments:
    """End an outreach before its fence. The reply as for `settle`."""
    return outreach, token, ending, reason


@script(flag)
def postpone(outreach: str, token: int, delay_ms: int | str, reason: str) -> Arguments:
    """Give an outreach back before its fence. The reply: whether it was ours."""
    return outreach, token, delay_ms, reason


@script(flag)
def credit(outreach: str, order: str, window_ms: int) -> Arguments:
    """Credit a contact with an order. The reply: whether that counts."""
    return outreach, order, window_ms


class DecisionReply(NamedTuple):
    """What came of an operator's decision: a word and its detail, as at the top of each script."""

    word: str
    detail: str

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Read the reply of any script for decisions."""
        word, *detail = texts(reply)
        return cls(word, detail[0] if detail else "")


@script(DecisionReply.parse)
def retry(outreach: str, wanted: str, rests_ms: int, dry_run: str) -> Arguments:
    """Have an outreach tried again."""
    return outreach, wanted, rests_ms, dry_run


@script(DecisionReply.parse)
def discard_dead(outreach: str, dry_run: str) -> Arguments:
    """Give a dead outreach up."""
    return outreach, dry_run


@script(DecisionReply.parse)
def resolve_sent(outreach: str, dry_run: str) -> Arguments:
    """Record that an unknown outreach has arrived."""
    return outreach, dry_run


@script(DecisionReply.parse)
def expire(outreach: str, dry_run: str) -> Arguments:
    """End an outreach that no request was begun for."""
    return outreach, dry_run
