"""The keys of the outcome feed; see `state.keys`."""

from dataclasses import dataclass

from state.collector_keys import CollectorKeys


@dataclass(frozen=True, slots=True)
class OutcomeKeys(CollectorKeys):
    """The names of the feed's keys, and of those of collectors, under one namespace."""

    @property
    def outcomes(self) -> str:
        """Stream, capped: the outcome feed, for the shop and for webhooks. Ids only (`outcomes.retention`)."""
        return f"{self.namespace}:outcomes"

    @property
    def feed(self) -> str:
        """Hash: when outcomes were last moved to the feed (ms), how many were lost, and its readers (7 days)."""
        return f"{self.namespace}:{{control}}:feed"

    @property
    def webhooks(self) -> str:
        """Hash: what the sender of webhooks reported: numbers, times (ms) and its last error (7 days)."""
        return f"{self.namespace}:{{control}}:webhooks"

    @property
    def webhook_turn(self) -> str:
        """Text: the sender of webhooks that has the turn (some seconds)."""
        return f"{self.namespace}:{{control}}:webhook_turn"

    @property
    def recorder(self) -> str:
        """Hash: what the recorder reported: numbers, times (ms) and why it doesn't write (7 days)."""
        return f"{self.namespace}:{{control}}:recorder"

    @property
    def recorder_turn(self) -> str:
        """Text: the recorder that has the turn (some seconds)."""
        return f"{self.namespace}:{{control}}:recorder_turn"

    def unmoved(self, number: int) -> str:
        """Sorted set: outcome of an outreach, as JSON → its place. The sweep role moves them to the feed."""
        return f"{self.namespace}:{{{number:02d}}}:outcomes"
