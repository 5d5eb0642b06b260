"""Forgetting: finding what is kept of a person, removing it, and looking at every key for what may be left.

Who a stored phone number belongs to is not decided here; whoever calls does that.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.keys import Keys, partition_of, partition_of_outreach
from state.outbox import BODY, readable
from state.scripts import Scripts, translated
from state.session import STAMP_WIDTH, read_session
from state.stream import GROUP, Entry, entry_of
from state.streams import Streams

CHUNK = 500
KEPT_OF_A_PERSON = ("opted_out", "consent", "reserved", "forgotten")
"""The opt-out and the refusals, which have to be known to be kept; and the contacts that were made, or are in flight,
until the limits no longer count them: without these the person's next visit could lead to another one immediately. And
for some minutes the moment itself."""
IN_HAND_MS = 10 * 60_000
"""For so long ingest may still write what it had in its hands at that moment; what is older is not brought back."""


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """Whom a session is about, as the shop wrote it."""

    session_id: str
    phone: str
    country: str
    forgotten: bool
    """Only its tombstone is left."""


@dataclass(frozen=True, slots=True)
class StoredOutreach:
    """Whom an outreach is about."""

    outreach: str
    session_id: str
    body: str
    """The request, where it is still kept."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed for good."""

    sessions: int = 0
    outreaches: int = 0
    skeletons: int = 0
    """Outreaches whose request is under way: they keep their claim and nothing that tells who it is about."""


class Forgetting:
    """Everything that is kept of people, key by key."""

    def __init__(self, scripts: Scripts, keys: Keys, lanes: Sequence[str], cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._cipher: Cipher = cipher or Unencrypted()
        self._keys = keys
        self._streams = Streams(scripts, keys)
        self._lanes = " ".join(lanes)

    def keys_in_all(self) -> int:
        """Return how many keys the server holds, of whatever namespace; a measure of how long a look at all takes."""
        with translated():
            return int(self._scripts.client.dbsize())

    def sessions(self) -> Iterator[StoredPerson]:
        """Look at all sessions."""
        for keys in self._scan("{[0-9][0-9]}:session:*"):
            with translated():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.hmget(key, "phone", "country", "state")
                replies = pipe.execute()
            for key, (phone, country, state) in zip(keys, replies, strict=True):
                yield self._person(session_of(key.decode()), phone, country, state)

    def outreaches(self) -> Iterator[StoredOutreach]:
        """Look at all outreaches."""
        for keys in self._scan("{[0-9][0-9]}:outreach:*"):
            with translated():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.hmget(key, "session", "body")
                    pipe.hget(self._keys.body(_last(key)), "body")
                replies = iter(pipe.execute())
            for key, (session, body), parked in zip(keys, replies, replies, strict=True):
                request = self._opened(_last(key), BODY, "", (body or parked or b"").decode())
                yield StoredOutreach(_last(key), (session or b"").decode(), request)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Read all events that are not applied yet, each with the key of its stream, in which the first comes first.

        Also those that an ingest process has in hand.
        """
        for stream in self._streams.all():
            for item in self._stream(stream.key):
                yield stream.key, entry_of(item)

    def rejected(self) -> Iterator[tuple[bytes, str]]:
        """Read all that was set aside: the entry's id, and all of its text."""
        for entry_id, fields in self._stream(self._keys.rejected):
            yield entry_id, str(_texts(fields))

    def erase(self, sessions: Iterable[str], outreaches: Iterable[str]) -> Erased:
        """Remove sessions with all their outreaches, and further outreaches, leaving a tombstone for each session.

        `outreaches` may be those of the sessions or of others. What waits ends as cancelled first.
        """
        of: dict[int, list[str]] = {}
        for outreach in outreaches:
            of.setdefault(partition_of_outreach(outreach), []).append(outreach)
        calls = [(self._keys.partition(number), ("", " ".join(ids), "")) for number, ids in of.items()]
        calls += [(self._keys.partition(partition_of(found)), (found, "", self._lanes)) for found in sessions]
        replies = self._scripts.run_many("forget", calls)
        return Erased(*(sum(int(reply[place]) for reply in replies) for place in range(3)))

    def person_keys(self, person: str) -> tuple[list[str], list[str]]:
        """Return the keys of a person that have to go, and those that stay."""
        found = [key.decode() for keys in self._scan(f"{{person:{person}}}:*") for key in keys]
        stays = [f"{self._keys.person(person)}{name}" for name in KEPT_OF_A_PERSON]
        return [key for key in found if key not in stays], [key for key in found if key in stays]

    def bar(self, person: str) -> None:
        """Keep events older than this moment, which ingest may have in its hands, from bringing the person back."""
        with translated():
            seconds, micros = self._scripts.client.time()
            key = f"{self._keys.person(person)}forgotten"
            self._scripts.client.set(key, int(seconds) * 1000 + int(micros) // 1000, px=IN_HAND_MS)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys."""
        with translated():
            for key in keys:
                self._scripts.client.delete(key)

    def remove_entries(self, found: Sequence[tuple[str, bytes]]) -> None:
        """Take events out of their streams before they are applied, also from the hands of an ingest process."""
        with translated():
            for key, entry_id in found:
                self._scripts.client.xdel(key, entry_id)
                self._scripts.client.xack(key, GROUP, entry_id)

    def remove_rejected(self, ids: Sequence[bytes]) -> None:
        """Take entries out of the stream of what was set aside."""
        with translated():
            for entry_id in ids:
                self._scripts.client.xdel(self._keys.rejected, entry_id)

    def everything(self) -> Iterator[tuple[str, str]]:
        """Look at every key of the namespace: its name, and all that it holds as one text (of large ones in pieces)."""
        for keys in self._scan("*"):
            with translated():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.type(key)
                kinds = pipe.execute()
            for key, kind in zip(keys, kinds, strict=True):
                for piece in self._pieces(key, kind.decode()):
                    yield key.decode(), piece

    def whom(self, session_id: str) -> StoredPerson:
        """Look at one session."""
        with translated():
            found = self._scripts.client.hmget(self._keys.session(session_id), "phone", "country", "state")
        return self._person(session_id, *found)

    def left_of(self, session_id: str) -> set[str]:
        """Return the fields that a session's hash has."""
        with translated():
            return {name.decode() for name in self._scripts.client.hkeys(self._keys.session(session_id))}

    def _person(self, session_id: str, phone: bytes | None, country: bytes | None, state: bytes | None) -> StoredPerson:
        texts = []
        for name, value in (("phone", phone), ("country", country)):
            stored = (value or b"").decode(errors="replace")
            texts.append(self._opened(session_id, name, stored[:STAMP_WIDTH], stored[STAMP_WIDTH:]))
        return StoredPerson(session_id, texts[0], texts[1], state == b"forgotten")

    def _opened(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """Decrypt; what is under a key that is lost for good tells nothing about anybody any more."""
        try:
            return self._cipher.decrypt(owner, name, stamp, stored)
        except UnreadableError:
            return ""

    def _pieces(self, key: bytes, kind: str) -> Iterator[str]:
        client = self._scripts.client
        with translated():
            match kind:
                case "hash":
                    stored = _texts(client.hgetall(key))
                    # The stamps of a session's fields end in digits, which would run into those of a number.
                    if b":session:" in key:
                        yield str(dict(read_session(session_of(key.decode()), stored, self._cipher).fields))
                    else:
                        owner = _last(key)
                        body = self._opened(owner, BODY, "", stored.pop("body", ""))
                        yield readable(self._cipher, owner, f"{body} {stored}")
                case "zset":
                    yield from (member.decode() for member, _ in client.zscan_iter(key, count=1000))
                case "set":
                    yield from (member.decode() for member in client.sscan_iter(key, count=1000))
                case "stream":
                    yield from (str(_texts(fields)) for _, fields in self._stream(key.decode()))
                case "list":
                    yield from (item.decode(errors="replace") for item in client.lrange(key, 0, -1))
                case "string":
                    yield (client.get(key) or b"").decode(errors="replace")

    def _scan(self, pattern: str) -> Iterator[list[bytes]]:
        with translated():
            keys = self._scripts.client.scan_iter(f"{self._keys.namespace}:{pattern}", count=1000)
        while True:
            with translated():
                chunk = list(islice(keys, CHUNK))
            if not chunk:
                return
            yield chunk

    def _stream(self, key: str) -> Iterator[Any]:
        first = "-"
        while True:
            with translated():
                # Not through the driver's own function, whose reply differs with the protocol.
                items = self._scripts.client.execute_command("XRANGE", key, first, "+", "COUNT", CHUNK)
            yield from items
            if len(items) < CHUNK:
                return
            first = f"({items[-1][0].decode()}"


def session_of(key: str) -> str:
    """Return the id of the session that a key holds; empty for any other key."""
    return key.partition(":session:")[2]


def _texts(fields: Any) -> dict[str, str]:  # noqa: ANN401 - a mapping, or flat names and values
    pairs = fields.items() if isinstance(fields, dict) else zip(fields[::2], fields[1::2], strict=True)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in pairs}


def _last(key: bytes) -> str:
    return key.decode().rpartition(":")[2]
