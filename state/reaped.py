"""The results of expired leases, in all partitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from state.calls.outreaches import ReapReply


@dataclass(frozen=True, slots=True)
class Reaped:
    """The sums of all partitions."""

    due_again: int
    unknown: int
    missing: int
    untaken: int
    """The part of `due_again` that no worker had taken."""
    ahead_ms: Mapping[int, int]
    """Partition that stored a due time while the clock was ahead → how far it was put back since (ms)."""

    @classmethod
    def of(cls, replies: Sequence[ReapReply]) -> Self:
        """Return the sums of the replies of all partitions, which are in partition order."""
        return cls(
            due_again=sum(reply.due_again for reply in replies),
            unknown=sum(reply.unknown for reply in replies),
            missing=sum(reply.missing for reply in replies),
            untaken=sum(reply.untaken for reply in replies),
            ahead_ms={number: reply.ahead_ms for number, reply in enumerate(replies) if reply.ahead_ms},
        )
