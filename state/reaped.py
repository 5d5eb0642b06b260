"""What became of leases that ran out, in all partitions."""

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
    """Those of `due_again` that no worker had taken."""
    ahead_ms: Mapping[int, int]
    """Partition that stored a due time while the clock was ahead → by how much it was put back since (ms)."""

    @classmethod
    def of(cls, replies: Sequence[ReapReply]) -> Self:
        """Add up the replies of all partitions, in their order."""
        return cls(
            due_again=sum(reply.due_again for reply in replies),
            unknown=sum(reply.unknown for reply in replies),
            missing=sum(reply.missing for reply in replies),
            untaken=sum(reply.untaken for reply in replies),
            ahead_ms={number: reply.ahead_ms for number, reply in enumerate(replies) if reply.ahead_ms},
        )
