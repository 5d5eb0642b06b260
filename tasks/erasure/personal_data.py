"""Finds all stored data about a person: for `winback person show`, `export` and `winback forget`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from detectors.activity import ActivityEvent
from detectors.normalize.session_ids import is_hashed, session_key
from detectors.parsing import parse
from state.event_stream import FIELD
from state.inventory import Inventory, person_in
from state.key_scan import session_of
from state.outcome_feed import StoredOutcome
from state.stored_data import StoredOutreach, StoredPerson
from state.visitor_records import WaitingVisitor
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.linked_identities import earlier, link

TOMBSTONE = frozenset({"state", "forgotten", "sending"})
"""Fields of a session's hash without any information."""
Progress = Callable[[str, int], None]
"""Called with the kind of data that is being read, and the amount read so far."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """An event that ingest hasn't applied yet."""

    stream: str
    entry_id: bytes
    raw: bytes
    event: ActivityEvent | None
    """None: it can't be read."""

    @property
    def text(self) -> str:
        """Return the entry as a scan of all keys sees it."""
        return str({FIELD.decode(): self.raw.decode(errors="replace")})


@dataclass(slots=True)
class PersonalData:
    """The stored data about a person."""

    sessions: set[str] = field(default_factory=set)
    """Sessions whose data is still stored."""
    outreaches: set[str] = field(default_factory=set)
    entries: list[UnreadEvent] = field(default_factory=list)
    rejected: list[tuple[bytes, str]] = field(default_factory=list)
    """Entries of the stream of rejected events: id and text."""
    outcomes: list[StoredOutcome] = field(default_factory=list)
    """Outcomes of their sessions, in the feed or on their way to it."""
    person_keys: list[str] = field(default_factory=list)
    waiting: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Records of visitors with data that waits for a session, by name."""
    data_requests: list[str] = field(default_factory=list)
    """Open requests for a copy of the data."""

    def __bool__(self) -> bool:
        return any(
            (
                self.sessions,
                self.outreaches,
                self.entries,
                self.rejected,
                self.outcomes,
                self.person_keys,
                self.waiting,
                self.data_requests,
            )
        )


@dataclass(frozen=True, slots=True)
class ErasureProof:
    """The result of a scan of every key."""

    left: tuple[str, ...]
    """Keys with a trace."""
    searched: int
    mentions: tuple[str, ...]
    """Keys with nothing of the person except known members."""


@dataclass(frozen=True, slots=True)
class Known:
    """Data that a scan ignores."""

    keys: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    """Whole entries of streams."""
    members: frozenset[str] = frozenset()
    """Ids in sorted sets: of waiting sessions, and of linked people."""


class Finder:
    """Reads all data, and adds new findings about a person to them.

    `follow`: identities that were seen together with the named ones are theirs as well, one step away.
    `scan`: scan every key; otherwise read only the keys in the person's index, whose number determines the time.
    """

    def __init__(self, inventory: Inventory, progress: Progress, *, follow: bool = True, scan: bool = True) -> None:
        self._scan = scan
        self._inventory = inventory
        self._progress = progress
        self._follow = follow

    def survey(self, subject: DataSubject) -> PersonalData:
        """Find all data about a person. Further sessions and identities of theirs are added to `subject`.

        The streams are read first: an event that is applied in the meantime is found there or in its session.
        """
        for unread in self.unread(subject):
            event = unread.event
            if event is not None and event.session_id is not None and subject.is_named_in(event):
                subject.sessions.add(session_key(event.session_id))
        found = PersonalData(sessions=self._sessions(subject))
        made = self._made(subject)
        found.outreaches = {
            one.outreach for one in made if one.session_id in subject.sessions or subject.is_sent(one.body)
        }
        # A forgotten outreach in flight has no session any more, and nothing to remove.
        found.outreaches |= {one.outreach for one in self._inventory.outreaches_to(subject.people) if one.session_id}
        # An unreadable event with an identity or a session of theirs counts as well.
        found.entries = [one for one in self.unread(subject) if one.event is None or subject.has_event(one.event)]
        found.rejected = [(entry_id, text) for entry_id, text in self._inventory.rejected() if subject.is_in(text)]
        found.outcomes = [one for one in self._inventory.outcomes() if subject.has_outcome(one.text)]
        found.person_keys = [key for person in subject.people for key in self._inventory.person_keys(person)]
        found.waiting = {one.name: one.customer for one in self._waiting(subject)}
        found.data_requests = [
            one.id for one in self._inventory.requests.open("data request") if any(map(subject.is_customer, one.people))
        ]
        return found

    def prove(self, subject: DataSubject, known: Known | None = None) -> ErasureProof:
        """Scan every key for an identity, a session or the hash of the person, except for known data."""
        known = known or Known()
        left: dict[str, None] = {}
        mentions: dict[str, None] = {}
        searched, last = 0, ""
        own = set(subject.people)
        for key, text in self._counted("proof", self._inventory.scan_all()):
            searched += key != last
            last = key
            if key in known.keys or key in left or text in known.texts or person_in(key) in own:
                continue
            if text in known.members:
                mentions[key] = None
            elif self._is_left(key, text, subject):
                left[key] = None
        return ErasureProof(tuple(left), searched, tuple(mentions))

    def _is_left(self, key: str, text: str, subject: DataSubject) -> bool:
        session_id = session_of(key)
        if session_id in subject.sessions:
            return bool(self._inventory.field_names(session_id) - TOMBSTONE)
        if not (subject.is_in(text) or subject.is_spelled_in(key) or any(person in text for person in subject.people)):
            return False
        stored = self._inventory.session_owner(session_id) if session_id else None
        # A number in another country can have the same digits.
        return stored is None or not subject.is_spelled_in(stored.phone) or subject.has_session(stored)

    def _sessions(self, subject: DataSubject) -> set[str]:
        found = list(self._named(subject))
        if self._follow:
            before = subject.identities
            link(self._inventory, subject, [*found, *map(_person_of, self._waiting(subject))])
            if subject.identities != before:
                found = list(self._named(subject))
        found += earlier(self._inventory, subject, found)
        for stored in found:
            subject.add_session(stored)
        return {stored.session_id for stored in found if not stored.forgotten}

    def _waiting(self, subject: DataSubject) -> Iterator[WaitingVisitor]:
        return (one for one in self._inventory.visitors.waiting() if subject.is_customer(one.customer))

    def _made(self, subject: DataSubject) -> Iterator[StoredOutreach]:
        if self._scan:
            yield from self._counted("outreaches", self._inventory.outreaches())
        else:
            yield from self._inventory.outreaches_of(subject.sessions)

    def _named(self, subject: DataSubject) -> Iterator[StoredPerson]:
        if not self._scan:
            for session_id in dict.fromkeys((*sorted(subject.sessions), *self._inventory.indexed(subject.people))):
                stored = self._inventory.session_owner(session_id)
                if self._inventory.field_names(session_id) and (
                    session_id in subject.sessions or subject.has_session(stored)
                ):
                    yield stored
            return
        for stored in self._counted("sessions", self._inventory.sessions()):
            if stored.session_id in subject.sessions or subject.has_session(stored):
                yield stored

    def unread(self, subject: DataSubject) -> Iterator[UnreadEvent]:
        """Read the events that aren't applied yet and may be about the person. Most don't have to be parsed."""
        # The shop's id of a session that is stored under a hash can have several spellings: parse every event.
        is_any_hashed = any(map(is_hashed, subject.sessions))
        for stream, entry in self._counted("events", self._inventory.entries()):
            raw = entry.event or b""
            names_them = subject.is_in(raw.decode(errors="replace"))
            event = parse(raw).event if names_them or is_any_hashed else None
            if names_them or (event is not None and subject.has_event(event)):
                yield UnreadEvent(stream, entry.id, raw, event)

    def _counted(self, what: str, items: Iterator[Item]) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            if number % 500 == 0:
                self._progress(what, number)
            yield item


def _person_of(one: WaitingVisitor) -> StoredPerson:
    phone, country, email = (one.customer.get(name, "") for name in ("phone_number", "country_code", "email"))
    return StoredPerson("", phone, country, email, original_id="", supersedes="", forgotten=False)
