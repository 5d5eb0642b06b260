"""The entries that a sender has read from the feed, and those that it is done with."""

from collections.abc import Collection

import structlog

from state.webhooks import Unsent, Webhooks
from tasks.outcomes.names import OutcomeName
from worker.webhooks.schedule import Delivery, Schedule

AT_ONCE = 100

log = structlog.stdlib.get_logger("winback.webhooks")


class Inbox:
    """Reads entries of the wanted `types`. The others count as done."""

    def __init__(self, webhooks: Webhooks, types: Collection[OutcomeName]) -> None:
        self._webhooks = webhooks
        self._types = types
        self._done: list[bytes] = []
        self._again_after: bytes | None = b"0"
        """The last entry that was read again; None: all were."""
        self.dropped = 0
        """How many entries were dropped since the last report."""

    def start_over(self) -> None:
        """Read first again what was read and isn't acknowledged."""
        self._again_after = b"0"

    def fill(self, schedule: Schedule, now: float) -> bool:
        """Add the next entries to the schedule, if it has room; return whether there were any.

        Raises:
            StateError: Redis doesn't answer.
        """
        room = min(AT_ONCE, schedule.room)
        if not room:
            return False
        found: list[Unsent] = []
        if self._again_after is not None:
            found = self._webhooks.read_again(room, self._again_after)
            self._again_after = found[-1].entry if found else None
        if self._again_after is None:
            found = self._webhooks.read(room)
        for one in found:
            self._add(one, schedule, now)
        return bool(found)

    def done(self, entry: bytes) -> None:
        """Note that an entry was delivered."""
        self._done.append(entry)

    def drop(self, entry: bytes, identifier: str, reason: str) -> None:
        """Note that an entry won't be delivered."""
        self.dropped += 1
        self._done.append(entry)
        log.error("webhook_dropped", outcome=identifier or None, reason=reason)

    def acknowledge(self) -> None:
        """Record which entries are done.

        Raises:
            StateError: It is repeated with the next call.
        """
        self._webhooks.acknowledge(self._done)
        self._done = []

    def _add(self, one: Unsent, schedule: Schedule, now: float) -> None:
        if not one.id:
            self.drop(
                one.entry, "", "removed from the feed before it was sent (outcomes.max_length, outcomes.retention)"
            )
            return
        outreach, outcome, *_ = one.id.split(".")
        if outcome not in self._types:
            self._done.append(one.entry)
            return
        decided_ms = int(one.entry.partition(b"-")[0])
        schedule.add(Delivery(one.entry, one.id, outreach, one.body, decided_ms), now)
