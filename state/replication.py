"""How many replicas must acknowledge a write before the request that depends on it.

A primary acknowledges a write before its replicas have it. If it fails then, or is cut off, a replica takes over
without that write: a sent outreach would be due again, and a contacted person would be free. So the fence and the
reservation are followed by WAIT on the same connection, and with too few acknowledgements there is no request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.crc import key_slot

WAIT_MS = 1000
"""How long a write waits for its acknowledgements."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many must acknowledge: `everywhere`, or by slot in a cluster whose primaries differ."""

    everywhere: int = 0
    by_slot: Mapping[int, int] = field(default_factory=dict)

    def needed(self, key: str) -> int:
        """Return how many acknowledgements a write to this key needs; 0: none, and there is no WAIT."""
        return self.by_slot.get(key_slot(key.encode()), 0) if self.by_slot else self.everywhere

    @property
    def fewest(self) -> int:
        """Return the lowest number needed by any slot."""
        return min(self.by_slot.values()) if self.by_slot else self.everywhere


NONE = Replicas()


def majority(replicas: int) -> int:
    """Return how many replicas make a majority together with their primary: 1 of one or two, 2 of three or four.

    A primary that is cut off from its replicas never has it; one without replicas needs none.
    """
    return (replicas + 1) // 2
