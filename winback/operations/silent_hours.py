"""When shoppers fall silent: the counters by weekday and hour. Pure."""

from collections import Counter

from detectors.json_values import JsonObject
from state.daily_counters import DailyCount
from tasks.policy.quiet_hours import DAYS

COUNTER = "silent_hour"
HOURS = 24
_THURSDAY = 3
"""The weekday of 1970-01-01, from Monday on."""


class SilentHours:
    """The silences of some days by weekday and hour, in the zone of the counters."""

    def __init__(self) -> None:
        """Begin without silences."""
        self._counts: Counter[tuple[int, int]] = Counter()

    def add(self, tally: DailyCount) -> None:
        """Add a count; those of anything else are left out."""
        if tally.name == COUNTER:
            self._counts[(tally.day + _THURSDAY) % len(DAYS), int(tally.detail)] += tally.number

    def document(self) -> JsonObject:
        """Return the counts as JSON data: weekday (`mon` to `sun`) and the 24 counts of its hours."""
        return {name: [self._counts[day, hour] for hour in range(HOURS)] for day, name in enumerate(DAYS)}
