"""What the relay and the sender of webhooks reported about the outcome feed. Times are Unix ms of the server."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from state.hash_fields import time_of
from state.outcome_feed import Reader


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """The feed, as the relay last reported it."""

    moved_ms: int
    """When the last round of the relay ended."""
    length: int
    lost: int
    """Outcomes that had no room on their way to the feed."""
    lost_ms: int | None
    """When the last of them was lost."""
    readers: Sequence[Reader]

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Self | None:
        """Read the hash; None if no relay has reported."""
        if "at" not in stored:
            return None
        return cls(
            moved_ms=int(stored["at"]),
            length=int(stored.get("length", 0)),
            lost=int(stored.get("lost", 0)),
            lost_ms=time_of(stored.get("lost_at")),
            readers=[Reader(*found) for found in json.loads(stored.get("readers", "[]"))],
        )


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """The sending of webhooks, as the sender last reported it."""

    seen_ms: int
    sent: int
    failed: int
    """Requests that weren't accepted."""
    dropped: int
    dropped_ms: int | None
    """When the last outcome was dropped."""
    waiting: int
    """Outcomes that the sender holds in memory."""
    oldest_ms: int | None
    """When the first of these was added to the feed."""
    failing_ms: int | None
    """Since when requests fail; None: they don't."""
    why: str
    refused_ms: int | None
    """When the receiver answered that it wants no more requests."""
    is_stopped: bool
    """Whether the sender ended in order."""

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Self | None:
        """Read the hash; None if no sender has reported."""
        if "at" not in stored:
            return None
        return cls(
            seen_ms=int(stored["at"]),
            sent=int(stored.get("sent", 0)),
            failed=int(stored.get("failed", 0)),
            dropped=int(stored.get("dropped", 0)),
            dropped_ms=time_of(stored.get("dropped_at")),
            waiting=int(stored.get("waiting", 0)),
            oldest_ms=time_of(stored.get("oldest") or None),
            failing_ms=time_of(stored.get("failing_since")),
            why=stored.get("why", ""),
            refused_ms=time_of(stored.get("gone")),
            is_stopped=stored.get("stopped") == "1",
        )
