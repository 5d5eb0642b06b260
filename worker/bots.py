"""Which sessions have more events in a minute than a human being makes."""

from collections import Counter
from collections.abc import Sequence

from state.sessions import Change
from tasks.record import BOT

MINUTE_MS = 60_000


class BotWatch:
    """Counts the events of each session by the minute of their arrival, in this process alone.

    Several ingest processes see a part of a session's events each: a bot is then found a little later.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def mark(self, changes: Sequence[Change], arrival_ms: int) -> list[Change]:
        """Return the changes, those of a bot with a field that says so; `arrival_ms` is that of the first."""
        if self._per_minute is None:
            return list(changes)
        if arrival_ms // MINUTE_MS != self._minute:
            self._minute = arrival_ms // MINUTE_MS
            self._counts.clear()
        counts, limit = self._counts, self._per_minute
        counts.update([change.session_id for change in changes])
        if not any(counts[session] > limit for session in {change.session_id for change in changes}):
            return list(changes)
        return [
            change._replace(fields={**change.fields, BOT: "1"}) if counts[change.session_id] > limit else change
            for change in changes
        ]
