"""The records in Redis with one key each, read in one round trip. For the overview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from state.announcements import Announcement, read_announcements
from state.deployment import PERSONAL_ROLES, Heartbeat, missing_key
from state.event_stream import Item
from state.hash_fields import texts
from state.keys import DAY_MS, HEARTBEAT_TTL_MS, Keys
from state.scripts import Scripts
from state.sending_control import CLOCKS_DIFFER_MS
from state.waiting_events import arrival

ROLES = ("ingest", "sweep", "recover", "beat")
"""The roles that leave a heartbeat in Redis."""


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """Data with one key each. Times are Unix ms of the server."""

    now_ms: int
    rejected: int
    last_rejected_ms: int | None
    contacts_today: int
    hashes: Mapping[str, Mapping[str, str]]
    """By key."""
    put_back_ms: int
    """When the clock was last put back; 0: never."""

    def texts(self, key: str) -> Mapping[str, str]:
        """Return one of the hashes."""
        return self.hashes[key]

    def heartbeats(self, key: str) -> tuple[Heartbeat, ...]:
        """Return the heartbeats of the last day, latest first."""
        beats = [Heartbeat(process, self._past(int(at))) for process, at in self.hashes[key].items()]
        recent = [beat for beat in beats if self.now_ms - beat.at_ms < HEARTBEAT_TTL_MS]
        return tuple(sorted(recent, key=lambda beat: beat.at_ms, reverse=True))

    def announced(self, key: str) -> tuple[Announcement, ...]:
        """Return the announcements of processes."""
        return tuple(replace(one, at_ms=self._past(one.at_ms)) for one in read_announcements(self.hashes[key]))

    def _past(self, at_ms: int) -> int:
        """Return a time; one in the future is from before the clock was put back."""
        return self.put_back_ms if at_ms > self.now_ms + CLOCKS_DIFFER_MS else at_ms


def read_records(scripts: Scripts, keys: Keys) -> StoredRecords:
    """Return the data with one key each: the clock, rejected entries, contacts of today, and all hashes."""
    seconds, micros = scripts.client.time()
    now_ms = seconds * 1000 + micros // 1000
    pipe = scripts.client.pipeline(transaction=False)
    pipe.xlen(keys.rejected)
    pipe.execute_command("XREVRANGE", keys.rejected, "+", "-", "COUNT", 1)
    pipe.hlen(f"{keys.control}daily_contacts:{now_ms // DAY_MS}")
    names = _hashes(keys)
    for key in names:
        pipe.hgetall(key)
    replies = pipe.execute()
    rejected: int = replies[0]
    last_rejected: Sequence[Item] = replies[1]
    contacts_today: int = replies[2]
    found: list[Mapping[bytes, bytes]] = replies[3:]
    hashes = {key: texts(stored) for key, stored in zip(names, found, strict=True)}
    last_ms = arrival(last_rejected)
    return StoredRecords(
        now_ms=now_ms,
        rejected=rejected,
        # An id in the future counts as now.
        last_rejected_ms=None if last_ms is None else min(last_ms, now_ms),
        contacts_today=contacts_today,
        hashes=hashes,
        put_back_ms=min(now_ms, int(hashes[f"{keys.control}sending"].get("put_back", 0))),
    )


def _hashes(keys: Keys) -> tuple[str, ...]:
    return (
        f"{keys.control}sending",
        keys.orders,
        keys.clock(0),
        keys.sweep,
        keys.problems,
        keys.deployment,
        keys.progress,
        keys.thresholds,
        keys.backlog,
        keys.refused,
        keys.collectors,
        keys.deliveries,
        keys.foreign,
        keys.feed,
        keys.webhooks,
        keys.recorder,
        *map(keys.heartbeat, ROLES),
        *map(keys.announced, ROLES),
        *(missing_key(keys, role) for role in PERSONAL_ROLES),
    )
