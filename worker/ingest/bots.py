"""Detects sessions with more events in a minute than a human being makes."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from detectors.session_fields import BOT
from state.sessions import Change


class BotWatch:
    """Counts the events of each session by the minute of their arrival, in this process only.

    If several ingest processes share a session's events, a bot is detected a little later.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def mark(self, changes: Sequence[Change], minutes: Sequence[int]) -> list[Change]:
        """Return the changes, those of bots with a field that marks them. `minutes`: their arrivals, ascending."""
        if self._per_minute is None or not changes:
            return list(changes)
        if minutes[0] == minutes[-1]:
            return self._within(minutes[0], changes)
        found: list[Change] = []
        for minute, same in groupby(zip(minutes, changes, strict=True), key=itemgetter(0)):
            found += self._within(minute, [change for _, change in same])
        return found

    def _within(self, minute: int, changes: Sequence[Change]) -> list[Change]:
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        counts, limit = self._counts, self._per_minute or 0
        sessions = [change.session_id for change in changes]
        counts.update(sessions)
        if max(map(counts.__getitem__, sessions)) <= limit:
            return list(changes)
        return [
            change._replace(fields={**change.fields, BOT: "1"}) if counts[change.session_id] > limit else change
            for change in changes
        ]
