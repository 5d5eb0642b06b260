"""The sender's side of the outcome feed in Redis: its turn, its consumer group, and what it reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from redis.exceptions import ResponseError

from state.calls import streams as stream_lua
from state.calls import webhooks as lua
from state.keys import DAY_MS, Keys
from state.outcome_feed import ID, OUTCOME
from state.scripts import Scripts
from state.server_errors import driver_errors

GROUP = "winback-webhooks"
_CONSUMER = "sender"
"""One name for all: the sender that has the turn takes over the entries that the last one had read."""
WEBHOOKS_TTL_MS = 7 * DAY_MS


class Unsent(NamedTuple):
    """An entry of the feed that isn't delivered yet."""

    entry: bytes
    """Its id in the stream; the first part is when it was added (Unix ms)."""
    id: str
    """Empty if the entry was removed before it was delivered."""
    body: str


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender did since its last report."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
    oldest_ms: int | None = None
    why: str = ""
    """Why requests fail; empty if they don't."""
    gone: bool = False
    """Whether the receiver answered that it wants no more requests."""
    stops: bool = False


class Webhooks:
    """The state of the senders."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def take_turn(self, sender: str, turn_ms: int) -> bool:
        """Return whether this sender has the turn from now on; it lasts for `turn_ms` unless it is renewed.

        Raises:
            StateError: The server doesn't answer.
        """
        return self._scripts.run(lua.webhook_turn(self._keys.webhook_turn, sender, turn_ms))

    def read_again(self, most: int, after: bytes) -> list[Unsent]:
        """Return entries that were read before and aren't acknowledged, from after an entry on (b"0" for all).

        Raises:
            StateError: The server doesn't answer.
        """
        return self._read(most, after)

    def read(self, most: int) -> list[Unsent]:
        """Return the next entries of the feed.

        Raises:
            StateError: The server doesn't answer.
        """
        return self._read(most, b">")

    def acknowledge(self, entries: Sequence[bytes]) -> None:
        """Record that entries are delivered or dropped.

        Raises:
            StateError: Some may not be recorded; repeat it.
        """
        if entries:
            with driver_errors():
                self._scripts.client.execute_command("XACK", self._keys.outcomes, GROUP, *entries)

    def report(self, report: SenderReport) -> bool:
        """Record a report; return whether the receiver wants no more requests.

        Raises:
            StateError: The server doesn't answer.
        """
        call = lua.webhook_report(
            self._keys.webhooks,
            ttl_ms=WEBHOOKS_TTL_MS,
            sent=report.sent,
            failed=report.failed,
            dropped=report.dropped,
            waiting=report.waiting,
            oldest="" if report.oldest_ms is None else report.oldest_ms,
            why=report.why,
            gone=int(report.gone),
            stops=int(report.stops),
        )
        return bool(self._scripts.run(call))

    def resume(self) -> bool:
        """Send again after the receiver wanted no more requests; return whether that was so.

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            return bool(self._scripts.client.hdel(self._keys.webhooks, "gone"))

    def _read(self, most: int, after: bytes) -> list[Unsent]:
        words = ("XREADGROUP", "GROUP", GROUP, _CONSUMER, "COUNT", most, "STREAMS", self._keys.outcomes, after)
        with driver_errors():
            try:
                found = self._scripts.client.execute_command(*words)
            except ResponseError as exc:
                if "NOGROUP" not in str(exc):
                    raise
                # At the first start, and after the data was lost: from the beginning, so that nothing is left out.
                self._scripts.run(stream_lua.create_group(self._keys.outcomes, GROUP))
                found = self._scripts.client.execute_command(*words)
        return [_unsent(entry, fields) for _, entries in found or [] for entry, fields in entries]


def _unsent(entry: bytes, fields: Sequence[bytes] | dict[bytes, bytes] | None) -> Unsent:
    known = fields if isinstance(fields, dict) else dict(zip((fields or ())[::2], (fields or ())[1::2], strict=False))
    return Unsent(entry, known.get(ID.encode(), b"").decode(), known.get(OUTCOME.encode(), b"").decode())
