"""All data about people, key by key. Read-only.

The caller decides which person a stored phone number or address belongs to.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.event_stream import entry_of
from state.event_streams import Streams
from state.key_lists import OF_A_PERSON
from state.key_scan import KeyScan, decoded, last_of, session_of
from state.keys import Keys
from state.outcome_feed import OutcomeFeed, StoredOutcome
from state.outreach_texts import BODY, readable
from state.partitions import is_outreach_id
from state.person_marks import MOST_SESSIONS
from state.privacy_requests import PrivacyRequests
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import OWN_FIELDS, STAMP_WIDTH, SUPERSEDES, read_session
from state.stored_data import (
    KeyText,
    RejectedEvent,
    StoredKey,
    StoredOutreach,
    StoredPerson,
    StoredRecord,
    WaitingEvent,
)
from state.visitor_records import VisitorRecords

_PERSON = re.compile(r"\{person:([0-9a-f]{64})\}")
_OF_SESSION = ("phone", "country", "email", "id", SUPERSEDES)


class Inventory:
    """Reads all data about people."""

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._cipher: Cipher = cipher or Unencrypted()
        self._keys = keys
        self._scan = KeyScan(scripts, keys, self._cipher)
        self.feed = OutcomeFeed(scripts, keys)
        self._streams = Streams(scripts, keys)
        self.visitors = VisitorRecords(scripts, keys, cipher)
        self.requests = PrivacyRequests(scripts, keys, cipher)

    def now_ms(self) -> int:
        """Return the server's clock (Unix ms)."""
        with driver_errors():
            seconds, micros = self._scripts.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def key_count(self) -> int:
        """Return how many keys the server holds in all namespaces: a measure of the cost of a full scan."""
        with driver_errors():
            return int(self._scripts.client.dbsize())

    def sessions(self) -> Iterator[StoredPerson]:
        """Yield all sessions."""
        for keys in self._scan.scan("{[0-9][0-9]}:session:*"):
            with driver_errors():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.hmget(key, *_OF_SESSION, "state")
                replies: list[list[bytes | None]] = pipe.execute()
            for key, found in zip(keys, replies, strict=True):
                yield self._person(session_of(key.decode()), *found)

    def outreaches(self) -> Iterator[StoredOutreach]:
        """Yield all outreaches."""
        for keys in self._scan.scan("{[0-9][0-9]}:outreach:*"):
            yield from self._outreaches(keys)

    def _outreaches(self, keys: Sequence[bytes]) -> Iterator[StoredOutreach]:
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for key in keys:
                pipe.hmget(key, "session", "body")
                pipe.hget(self._keys.body(last_of(key)), "body")
            replies = iter(pipe.execute())
        for key, (session, body), parked in zip(keys, replies, replies, strict=True):
            request = self._scan.opened(last_of(key), BODY, "", (body or parked or b"").decode())
            # If the record is gone, only the request can remain.
            if session is not None or request:
                yield StoredOutreach(last_of(key), (session or b"").decode(), request)

    def entries(self) -> Iterator[WaitingEvent]:
        """Yield all events that aren't applied yet, oldest of each stream first.

        This includes those that an ingest process holds.
        """
        for stream in self._streams.all():
            for item in self._scan.stream(stream.key):
                yield WaitingEvent(stream.key, entry_of(item))

    def rejected(self) -> Iterator[RejectedEvent]:
        """Yield all rejected events."""
        for entry_id, fields in self._scan.stream(self._keys.rejected):
            yield RejectedEvent(entry_id, str(decoded(fields)))

    def outcomes(self) -> Iterator[StoredOutcome]:
        """Yield all outcomes that are in the feed or on their way to it."""
        return self.feed.stored()

    def scan_all(self) -> Iterator[KeyText]:
        """Yield every key of the namespace."""
        return self._scan.scan_all()

    def session_owner(self, session_id: str) -> StoredPerson:
        """Return the person of one session."""
        with driver_errors():
            found = self._scripts.client.hmget(self._keys.session(session_id), *_OF_SESSION, "state")
        return self._person(session_id, *found)

    def field_names(self, session_id: str) -> set[str]:
        """Return the names of the fields in a session's hash."""
        with driver_errors():
            return {name.decode() for name in self._scripts.client.hkeys(self._keys.session(session_id))}

    def session(self, session_id: str) -> StoredRecord:
        """Return all stored data of a session."""
        key = self._keys.session(session_id)
        with driver_errors():
            stored = decoded(self._scripts.client.hgetall(key))
        session = read_session(session_id, stored, self._cipher)
        own = {name: value for name, value in stored.items() if name in OWN_FIELDS}
        return StoredRecord(session_id, (key,), own | dict(session.fields), session.unreadable)

    def outreach(self, outreach: str) -> StoredRecord:
        """Return all stored data of an outreach."""
        keys = (self._keys.outreach(outreach), self._keys.body(outreach))
        with driver_errors():
            stored, parked = (decoded(self._scripts.client.hgetall(key)) for key in keys)
        texts, unreadable = parked | stored, ""
        try:
            texts["body"] = self._cipher.decrypt(outreach, BODY, "", texts.get("body", ""))
        except UnreadableError as problem:
            unreadable = str(problem)
        texts["history"] = readable(self._cipher, outreach, texts.get("history", ""))
        return StoredRecord(outreach, keys, texts, unreadable)

    def person_keys(self, person: str) -> list[str]:
        """Return the names of all keys of a person."""
        names = sorted(f"{self._keys.person(person)}{name}" for name in OF_A_PERSON)
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for name in names:
                pipe.exists(name)
            return [name for name, there in zip(names, pipe.execute(), strict=True) if there]

    def indexed(self, people: Iterable[str]) -> list[str]:
        """Return the sessions in which these people were named, from each person's index."""
        return list(dict.fromkeys(session for person in people for session in self.sessions_of(person)))

    def index_is_full(self, people: Iterable[str]) -> bool:
        """Return whether one of these people's indexes has or might have dropped sessions: it keeps only the latest."""
        return any(len(self.sessions_of(person)) >= MOST_SESSIONS for person in people)

    def mentions(self, people: Iterable[str]) -> list[str]:
        """Return the keys of linked people that can name these people or their sessions."""
        own = list(people)
        others = dict.fromkeys(other for person in own for other in self.links_of(person))
        return [
            key for other in others if other not in own for key in (self._keys.links(other), self._keys.sessions(other))
        ]

    def outreaches_of(self, sessions: Iterable[str]) -> Iterator[StoredOutreach]:
        """Yield the outreaches that sessions name."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for session_id in sessions:
                pipe.hmget(self._keys.session(session_id), "outreaches", "outreach")
            named = [text for found in pipe.execute() for text in found if text]
        return self._existing(one for text in named for one in text.decode(errors="replace").split())

    def outreaches_to(self, people: Iterable[str]) -> Iterator[StoredOutreach]:
        """Yield the outreaches that reached people, or were about to, from these people's keys."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for person in people:
                pipe.hkeys(f"{self._keys.person(person)}reserved")
                pipe.hkeys(self._keys.contacts(person))
            found = pipe.execute()
        return self._existing(outreach.decode(errors="replace") for one in found for outreach in one)

    def _existing(self, ids: Iterable[str]) -> Iterator[StoredOutreach]:
        known = [self._keys.outreach(one).encode() for one in dict.fromkeys(ids) if is_outreach_id(one)]
        return self._outreaches(known)

    def sessions_of(self, person: str) -> list[str]:
        """Return the sessions in which a person was named, latest last."""
        with driver_errors():
            return [member.decode() for member in self._scripts.client.zrange(self._keys.sessions(person), 0, -1)]

    def links_of(self, person: str) -> list[str]:
        """Return the people seen together with a person."""
        with driver_errors():
            return [member.decode() for member in self._scripts.client.zrange(self._keys.links(person), 0, -1)]

    def content(self, key: str) -> StoredKey:
        """Return the content of a person's key."""
        client = self._scripts.client
        with driver_errors():
            found: object
            match client.type(key).decode():
                case "hash":
                    found = decoded(client.hgetall(key))
                case "zset":
                    found = {
                        member.decode(): int(score) for member, score in client.zrange(key, 0, -1, withscores=True)
                    }
                case _:
                    found = (client.get(key) or b"").decode(errors="replace")
            left = int(client.pttl(key))
        return StoredKey(key, found, None if left < 0 else left)

    def _person(self, session_id: str, *found: bytes | None) -> StoredPerson:
        texts = []
        for name, value in zip(_OF_SESSION, found, strict=False):
            stored = (value or b"").decode(errors="replace")
            texts.append(self._scan.opened(session_id, name, stored[:STAMP_WIDTH], stored[STAMP_WIDTH:]))
        phone, country, email, original_id, supersedes = texts
        return StoredPerson(session_id, phone, country, email, original_id, supersedes, found[-1] == b"forgotten")


def person_in(key: str) -> str:
    """Return the person whose key this is; empty for any other key."""
    found = _PERSON.search(key)
    return found[1] if found else ""
