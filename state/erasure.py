"""Erasure: removing a person's data, key by key."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from state import slow_log
from state.calls import sessions as lua
from state.cipher import Cipher
from state.event_stream import GROUP
from state.inventory import Inventory
from state.keys import LAST_ERASURE_TTL_MS, Keys, applied_of, recording_of
from state.partitions import partition_of, partition_of_outreach
from state.scripts import Scripts
from state.server_errors import driver_errors

KEPT_PERSON_KEYS = ("opted_out", "consent", "reserved", "forgotten")
"""The opt-out and the refusals, which must stay in force, and the contacts that were made or are in flight. These stay
until no limit counts them, because otherwise the person's next visit could lead to another contact at once. The moment
of the erasure stays for some minutes."""
IN_FLIGHT_MS = 10 * 60_000
"""How long ingest can still write events that it had read at that moment. Older events don't bring data back."""
REFUSAL_WIDTH = 16
"""The part of an answer in `consent` that stays of a refusal: 15 digits of the time (ms) and an `r`. Its proof is
removed."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed."""

    sessions: int = 0
    outreaches: int = 0
    skeletons: int = 0
    """Outreaches whose request is in flight. They keep their claim and nothing that identifies the person."""


class SplitKeys(NamedTuple):
    """The keys of a person."""

    removed: list[str]
    kept: list[str]


class Erasure(Inventory):
    """Finds and removes all data about people."""

    def __init__(self, scripts: Scripts, keys: Keys, lanes: Sequence[str], cipher: Cipher | None = None) -> None:
        super().__init__(scripts, keys, cipher)
        self._lanes = " ".join(lanes)

    def erase(self, sessions: Iterable[str], outreaches: Iterable[str]) -> Erased:
        """Remove sessions with all their outreaches, and further outreaches, leaving a tombstone for each session.

        `outreaches` can be those of the sessions or others. Waiting ones are cancelled first.
        """
        of: dict[int, list[str]] = {}
        for outreach in outreaches:
            of.setdefault(partition_of_outreach(outreach), []).append(outreach)
        calls = [lua.forget(self._keys.partition(number), "", " ".join(ids), "") for number, ids in of.items()]
        calls += [lua.forget(self._keys.partition(partition_of(found)), found, "", self._lanes) for found in sessions]
        replies = self._scripts.run_many(calls)
        return Erased(
            sessions=sum(reply.sessions for reply in replies),
            outreaches=sum(reply.outreaches for reply in replies),
            skeletons=sum(reply.skeletons for reply in replies),
        )

    def split(self, person: str) -> SplitKeys:
        """Return the keys of a person, divided into those to remove and those to keep."""
        stays = [f"{self._keys.person(person)}{name}" for name in KEPT_PERSON_KEYS]
        found = self.person_keys(person)
        return SplitKeys([key for key in found if key not in stays], [key for key in found if key in stays])

    def strip_consent(self, person: str) -> int:
        """Reduce a person's answers to the time and channel of refusals; return how many changed."""
        key, changed = f"{self._keys.person(person)}consent", 0
        with driver_errors():
            for channel, answer in self._scripts.client.hgetall(key).items():
                if not is_refusal(answer.decode()):
                    changed += int(self._scripts.client.hdel(key, channel))
                elif len(answer) > REFUSAL_WIDTH:
                    self._scripts.client.hset(key, channel, answer[:REFUSAL_WIDTH])
                    changed += 1
        return changed

    def refuse(self, person: str, channels: Iterable[str], at_ms: int) -> None:
        """Record refusals whose event is removed before ingest applies it, unless a later answer is known."""
        key = f"{self._keys.person(person)}consent"
        with driver_errors():
            for channel in channels:
                known = (self._scripts.client.hget(key, channel) or b"").decode()
                if (answer := f"{at_ms:015d}r") > known:
                    self._scripts.client.hset(key, channel, answer)
                    self._scripts.client.persist(key)

    def remove_mentions(self, key: str, members: Collection[str]) -> int:
        """Remove members from a hash or sorted set of another person; return how many existed."""
        if not members:
            return 0
        with driver_errors():
            match self._scripts.client.type(key).decode():
                case "zset":
                    return int(self._scripts.client.zrem(key, *members))
                case "hash":
                    return int(self._scripts.client.hdel(key, *members))
        return 0

    def block_replays(self, person: str) -> None:
        """Keep events that ingest has read before this moment from restoring the person."""
        with driver_errors():
            seconds, micros = self._scripts.client.time()
            key = f"{self._keys.person(person)}forgotten"
            self._scripts.client.set(key, int(seconds) * 1000 + int(micros) // 1000, px=IN_FLIGHT_MS)

    def signal_erasure(self) -> None:
        """Have every ingest process write again what it has cached as written, since it can belong to erased data."""
        with driver_errors():
            self._scripts.client.set(self._keys.last_erasure, secrets.token_hex(8), px=LAST_ERASURE_TTL_MS)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys."""
        with driver_errors():
            for key in keys:
                self._scripts.client.delete(key)

    def remove_entries(self, found: Sequence[tuple[str, bytes]]) -> None:
        """Remove events from their streams before they are applied, including those that an ingest process holds."""
        with driver_errors():
            for key, entry_id in found:
                removed = self._scripts.client.xdel(key, entry_id)
                self._scripts.client.xack(key, GROUP, entry_id)
                # Count the removed entries as applied, so that they don't look lost.
                self._scripts.client.hincrby(applied_of(key), "applied", removed)

    def remove_copies(self) -> None:
        """Remove all events that wait for the recorder. They are counted as lost: it writes them within seconds."""
        self.delete([recording_of(stream.key) for stream in self._streams.all()])

    def clear_slow_log(self) -> bool:
        """Empty the server's logs of slow and large commands; return False if the server refuses."""
        return slow_log.clear(self._scripts)

    def remove_rejected(self, ids: Sequence[bytes]) -> None:
        """Remove entries from the stream of rejected events."""
        with driver_errors():
            for entry_id in ids:
                self._scripts.client.xdel(self._keys.rejected, entry_id)


def is_refusal(answer: str) -> bool:
    """Return whether an answer in a person's `consent` is anything but an approval."""
    return answer[REFUSAL_WIDTH - 1 : REFUSAL_WIDTH] != "a"
