"""What the recorder reported. Times are Unix ms of the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from state.hash_fields import time_of


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """The recording, as the recorder last reported it. Times are Unix ms of the server."""

    seen_ms: int
    written: int
    lost: int
    lost_ms: int | None
    """When entries were last lost."""
    why: str
    bytes: int
    is_stopped: bool
    """Whether the recorder ended in order."""

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Self | None:
        """Read the hash; None if no recorder has reported."""
        if "at" not in stored:
            return None
        return cls(
            seen_ms=int(stored["at"]),
            written=int(stored.get("written", 0)),
            lost=int(stored.get("lost", 0)),
            lost_ms=time_of(stored.get("lost_at")),
            why=stored.get("why", ""),
            bytes=int(stored.get("bytes", 0)),
            is_stopped=stored.get("stopped") == "1",
        )
