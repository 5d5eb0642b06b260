"""The last requests of each source, until they are reported. Cheap: of several between two reports one is described."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from detectors.flow import EventType
from detectors.json_values import JsonObject
from state.deliveries import DeliveryNote
from worker.collector.privacy import Filed
from worker.collector.source import Reading
from worker.collector.visits import Quarantined, Unplaced

MOST_SOURCES = 1000
_LONGEST = 160
_TYPES = frozenset(get_args(EventType))


class Deliveries:
    """Requests since the last report. One thread adds them, and another takes them."""

    def __init__(self) -> None:
        self._accepted: dict[str, str] = {}
        self._refused: dict[str, tuple[int, str]] = {}

    def accepted(self, source: str, reading: Reading) -> None:
        """Add a request whose events are stored."""
        if source not in self._accepted and len(self._accepted) < MOST_SOURCES:
            self._accepted[source] = described(reading)

    def refused(self, source: str, cause: str) -> None:
        """Add a request that got another answer than 200. `cause` holds nothing of the request."""
        if source in self._refused or len(self._refused) < MOST_SOURCES:
            self._refused[source] = (self._refused.get(source, (0, ""))[0] + 1, cause)

    def take(self) -> list[DeliveryNote]:
        """Return everything since the last call."""
        accepted, self._accepted = self._accepted, {}
        refused, self._refused = self._refused, {}
        return [
            DeliveryNote(source, accepted.get(source, ""), *refused.get(source, (0, "")))
            for source in dict.fromkeys((*accepted, *refused))
        ]


def described(reading: Reading) -> str:
    """Return what a request became, such as `2 activity, 1 order_completed`, without personal data."""
    counts = Counter(map(_kind, reading.events))
    text = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    if reading.ignored:
        text = f"{text}; ignored: {_shown(reading.ignored)}" if text else f"nothing: {_shown(reading.ignored)}"
    return (text or "nothing")[:_LONGEST]


def _shown(reasons: Sequence[str]) -> str:
    return reasons[0] if len(reasons) == 1 else f"{reasons[0]}, and {len(reasons) - 1} more"


def _kind(event: JsonObject | Unplaced | Quarantined | Filed) -> str:
    """Return the type of an event. Types of the sender's own aren't shown: they can be personal."""
    if isinstance(event, Quarantined):
        return "unreadable"
    if isinstance(event, Filed):
        return "privacy request"
    words = event.words if isinstance(event, Unplaced) else {"event": event}
    if words.get("by") == "profile":
        return "profile"
    kind = words["event"].get("type")
    return str(kind) if kind in _TYPES else "event"
