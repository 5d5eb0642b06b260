"""How many replicas must have a write before something is done that cannot be taken back: a request.

A primary acknowledges what it has written before its replicas have it. If it dies then, or is cut off from them, one of
them goes on without that write: an outreach that was sent would be due again, a person who was contacted free. So the
fence and the reservation are followed by WAIT on the same connection, and too few acknowledgements mean no request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.crc import key_slot

WAIT_MS = 1000
"""For so long a write waits for its acknowledgements."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many must acknowledge: `everywhere`, or in a cluster, whose primaries may differ, by the slot."""

    everywhere: int = 0
    by_slot: Mapping[int, int] = field(default_factory=dict)

    def needed(self, key: str) -> int:
        """Return how many acknowledgements a write to this key needs; 0: none, and nothing is asked."""
        return self.by_slot.get(key_slot(key.encode()), 0) if self.by_slot else self.everywhere

    @property
    def fewest(self) -> int:
        """How many are needed where the fewest are."""
        return min(self.by_slot.values()) if self.by_slot else self.everywhere


NONE = Replicas()


def majority(replicas: int) -> int:
    """Return how many replicas make a majority together with their primary: 1 of one or two, 2 of three or four.

    A primary that is cut off from its replicas never has it; one that has none needs none.
    """
    return (replicas + 1) // 2
