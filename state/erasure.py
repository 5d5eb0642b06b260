"""Forgetting: removing what is kept about a person, key by key."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from state import slow_log
from state.calls import sessions as lua
from state.cipher import Cipher
from state.event_stream import GROUP
from state.inventory import Inventory
from state.keys import LAST_ERASURE_TTL_MS, Keys, applied_of, partition_of, partition_of_outreach
from state.scripts import Scripts
from state.server_errors import driver_errors

KEPT_PERSON_KEYS = ("opted_out", "consent", "reserved", "forgotten")
"""The opt-out and the refusals, which have to be known to be kept; and the contacts that were made, or are in flight,
until the limits no longer count them: without these the person's next visit could lead to another one immediately. And
for some minutes the moment itself."""
IN_FLIGHT_MS = 10 * 60_000
"""How long ingest can still write what it had read at that moment; anything older isn't brought back."""
REFUSAL_WIDTH = 16
"""Of an answer in `consent`, what stays of a refusal: 15 digits of the time (ms) and an `r`. Its proof goes."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed for good."""

    sessions: int = 0
    outreaches: int = 0
    skeletons: int = 0
    """Outreaches whose request is under way: they keep their claim and nothing that tells who it is about."""


class SplitKeys(NamedTuple):
    """The keys of a person."""

    removed: list[str]
    kept: list[str]


class Erasure(Inventory):
    """Finds and removes everything that is kept about people."""

    def __init__(self, scripts: Scripts, keys: Keys, lanes: Sequence[str], cipher: Cipher | None = None) -> None:
        super().__init__(scripts, keys, cipher)
        self._lanes = " ".join(lanes)

    def erase(self, sessions: Iterable[str], outreaches: Iterable[str]) -> Erased:
        """Remove sessions with all their outreaches, and further outreaches, leaving a tombstone for each session.

        `outreaches` may be those of the sessions or of others. What waits ends as cancelled first.
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
        """Return the keys of a person, divided into those that have to go and those that stay."""
        stays = [f"{self._keys.person(person)}{name}" for name in KEPT_PERSON_KEYS]
        found = self.person_keys(person)
        return SplitKeys([key for key in found if key not in stays], [key for key in found if key in stays])

    def strip_consent(self, person: str) -> int:
        """Leave nothing of a person's answers but when and for which channel they refused; return how many changed."""
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
        """Record refusals whose event is removed before ingest has applied it, unless a later answer is known."""
        key = f"{self._keys.person(person)}consent"
        with driver_errors():
            for channel in channels:
                known = (self._scripts.client.hget(key, channel) or b"").decode()
                if (answer := f"{at_ms:015d}r") > known:
                    self._scripts.client.hset(key, channel, answer)
                    self._scripts.client.persist(key)

    def remove_mentions(self, key: str, members: Collection[str]) -> int:
        """Remove members from a hash or sorted set of another person; return how many were there."""
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
        """Keep events older than this moment, which ingest may have in its hands, from bringing the person back."""
        with driver_errors():
            seconds, micros = self._scripts.client.time()
            key = f"{self._keys.person(person)}forgotten"
            self._scripts.client.set(key, int(seconds) * 1000 + int(micros) // 1000, px=IN_FLIGHT_MS)

    def signal_erasure(self) -> None:
        """Let every ingest process write again what it has noted before, to which all of this may belong."""
        with driver_errors():
            self._scripts.client.set(self._keys.last_erasure, secrets.token_hex(8), px=LAST_ERASURE_TTL_MS)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys."""
        with driver_errors():
            for key in keys:
                self._scripts.client.delete(key)

    def remove_entries(self, found: Sequence[tuple[str, bytes]]) -> None:
        """Take events out of their streams before they are applied, also from the hands of an ingest process."""
        with driver_errors():
            for key, entry_id in found:
                removed = self._scripts.client.xdel(key, entry_id)
                self._scripts.client.xack(key, GROUP, entry_id)
                # On purpose: it must not seem lost.
                self._scripts.client.hincrby(applied_of(key), "applied", removed)

    def clear_slow_log(self) -> bool:
        """Empty the server's logs of slow and large commands; return False where the server refuses it."""
        return slow_log.clear(self._scripts)

    def remove_rejected(self, ids: Sequence[bytes]) -> None:
        """Take entries out of the stream of what was set aside."""
        with driver_errors():
            for entry_id in ids:
                self._scripts.client.xdel(self._keys.rejected, entry_id)


def is_refusal(answer: str) -> bool:
    """Whether an answer in a person's `consent` is anything but an approval."""
    return answer[REFUSAL_WIDTH - 1 : REFUSAL_WIDTH] != "a"
