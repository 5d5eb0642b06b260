"""Sessions: applying events, and claiming silent sessions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from pydantic_core import to_json

from state import deployment
from state.calls import sessions as lua
from state.calls.sessions import ApplyReply, StoredMark
from state.cipher import Cipher, Unencrypted
from state.claims import Bounds, Claimed, SilentLane, claim
from state.errors import UnreadableError
from state.keys import Keys
from state.partitions import PARTITIONS, partition_of
from state.pending import Pending
from state.script import NamedCall
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import (
    ANSWERS,
    NOT_MERGED,
    PERSON,
    RANK_SPAN,
    RANK_WIDTH,
    STAMP_WIDTH,
    SUPERSEDES,
    Session,
    opened,
    read_contacts,
    read_session,
    stamp_of,
    stamped,
    tag_of,
)


class Change(NamedTuple):
    """The change that one event makes to its session.

    Sequence numbers are comparable ints below 2**53; 0 means none.
    """

    session_id: str
    stamp: int
    """The event's own sequence number: its fields win over those of lower stamps."""
    activity: int
    signal: int
    purchase: int
    silent_since_ms: int
    """0: the event moves nothing."""
    fields: Mapping[str, str]
    """The event's customer, cart and engagement; an empty text clears a field.

    `phone`, `country` and `email` identify the person; `opted_out` (any text) means that they must not be contacted.
    """
    wants_mark: bool = False
    """Whether `apply` always returns a mark for this change, with the session's data about the person."""
    seen_ms: int = 0
    """When it shows that the shopper was active (Unix ms); 0: at `silent_since_ms`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The person of a session after a change: to be marked before its event is acknowledged.

    One is returned for a change that requests it (`Change.wants_mark`), for one that leaves its session bought or opted
    out, and for one whose session is superseded.
    """

    change: int
    """Index among the applied changes, from 0."""
    phone: str
    country: str
    email: str
    """These three: as the shop wrote them, in any events; empty if missing or unreadable."""
    purchase: int
    """Sequence number of the order; 0 for none."""
    opted_out: bool
    superseded_by: str
    """The session that superseded this one and must get the changes (`supersede`); empty for none."""
    superseded: int
    """Sequence number of the event that caused it."""
    answers: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """The session's record of the person's consent: field (see ANSWERS) → its event's sequence number, text."""


class Sessions:
    """The state of all sessions. `cipher` encrypts their customer, cart and engagement."""

    def __init__(self, scripts: Scripts, keys: Keys, rank_names: Sequence[str], cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._keys = keys
        self._cipher: Cipher = cipher or Unencrypted()
        self._names = "".join(name.ljust(RANK_WIDTH) for name in rank_names).encode()

    def apply(self, changes: Sequence[Change]) -> list[Mark]:
        """Apply changes, one script call per partition. Safe to repeat, in any order.

        Raises:
            StateError: Some partitions might not have been applied; apply all of them again.
        """
        return self.send(changes).result()

    def send(self, changes: Sequence[Change], also: Sequence[NamedCall] = ()) -> Pending[list[Mark]]:
        """Start `apply`. `also`: further calls, which cost no extra round trip."""
        plain: list[list[str]] = [[] for _ in range(PARTITIONS)]
        others: list[list[Sequence[str]]] = [[] for _ in range(PARTITIONS)]
        event_indexes: list[list[int]] = [[] for _ in range(PARTITIONS)]
        for index, change in enumerate(changes):
            session_id, stamp, activity, _, _, silent_ms, fields, wants_mark, _ = change
            # The body of partition_of, inlined.
            number = crc32(session_id.encode()) % PARTITIONS
            if not (fields or wants_mark) and activity == stamp and silent_ms == activity // RANK_SPAN:
                plain[number] += (session_id, str(activity))
            else:
                event_indexes[number].append(index)
                others[number].append(_event(change, self._cipher))
        changed = [number for number in range(PARTITIONS) if plain[number] or others[number]]
        calls = [
            lua.apply(self._keys.partition(number), self._names, to_json(plain[number]), to_json(others[number]))
            for number in changed
        ]
        asked = [event_indexes[number] for number in changed]
        return self._scripts.send_calls(calls, also).then(lambda replies: list(self._marks(changes, asked, replies)))

    def supersede(self, previous: str, session: str, stamp: int) -> Mark:
        """Supersede a session: the later one gets its fields and contacts, and its open outreach is cancelled.

        `stamp` is the sequence number of the event that caused it: newer activity of the earlier session stays with it.
        Safe to repeat. Returns what must be marked on the person, and whether another session has superseded this one.
        """
        found = self._scripts.run(lua.supersede(self._partition(previous), previous, session, stamp, self._names))
        known = found.fields
        # By session, so that nothing counts twice if sessions supersede each other. A contact in flight counts; if it
        # fails, the new session has one contact less available.
        made = read_contacts(known.get("contacts_before", ""))
        made[tag_of(previous)] = int(known.get("contacts", 0)) + found.in_flight
        made.pop(tag_of(session), None)
        contacts = ",".join(f"{tag}={number}" for tag, number in made.items() if number)
        words = [word for name, value in known.items() for word in self._merged_fields(previous, session, name, value)]
        words += (SUPERSEDES, stamped(stamp, previous))
        bought = max(int(known.get("purchase", 0)), int(known.get("purchase_before", 0)))
        stored = self._scripts.run(lua.merge_into(self._partition(session), session, contacts, bought, *words))
        return self._mark(0, session, stored)

    def break_circle(self, circle: Iterable[str]) -> bool:
        """Return one session of a circle that supersede each other to its lane, or none of them would ever end.

        Which one depends only on their ids. False: it hasn't moved, so there is no circle.
        """
        session = min(circle)
        return self._scripts.run(lua.break_circle(self._partition(session), session, self._names))

    def _merged_fields(self, previous: str, session: str, name: str, value: str) -> Iterator[str]:
        """Yield a field's name and its value for the other session; an unreadable value stays where it is."""
        if name in NOT_MERGED:
            return
        stamp = value[:STAMP_WIDTH]
        try:
            text = opened(previous, name, value, self._cipher)
        except UnreadableError as exc:
            deployment.require_keys(self._scripts, self._keys, self._cipher.ids)
            deployment.report(self._scripts, self._keys, "encryption", f"session {previous}, superseded: {exc}")
            return
        yield from self._cipher.encrypt_fields(session, stamp, {name: text})

    def _partition(self, session_id: str) -> str:
        return self._keys.partition(partition_of(session_id))

    def read(self, session_ids: Sequence[str]) -> list[Session]:
        """Return sessions in the requested order; one that doesn't exist has no activity."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for session_id in session_ids:
                pipe.hgetall(self._keys.session(session_id))
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        texts = ({name.decode(): value.decode() for name, value in stored.items()} for stored in found)
        return [
            read_session(session_id, text, self._cipher) for session_id, text in zip(session_ids, texts, strict=True)
        ]

    def claim(
        self,
        lanes: Sequence[SilentLane],
        *,
        max_age_ms: int,
        required: Sequence[str],
        limit: int = 200,
        each_round: Callable[[], object] = lambda: None,
    ) -> Claimed:
        """Claim every session that has been silent for too long, in all partitions; see `state.claims.claim`."""
        bounds = Bounds(max_age_ms, required, limit)
        return claim(self._scripts, self._keys, self._names, lanes, bounds, each_round=each_round)

    def _marks(
        self, changes: Sequence[Change], event_indexes: Iterable[Sequence[int]], replies: Iterable[ApplyReply]
    ) -> Iterator[Mark]:
        for indexes, reply in zip(event_indexes, replies, strict=True):
            for stored in reply.marks:
                index = indexes[stored.event]
                yield self._mark(index, changes[index].session_id, stored)

    def _mark(self, index: int, session_id: str, stored: StoredMark) -> Mark:
        phone, country, email = self._person(session_id, PERSON, (stored.phone, stored.country, stored.email))
        found: dict[str, tuple[int, str]] = {}
        if any(stored.answers):
            asked = [(name, value) for name, value in zip(ANSWERS, stored.answers, strict=True) if value]
            opened_ = self._person(session_id, [name for name, _ in asked], [value for _, value in asked])
            found = {name: (stamp_of(value), text) for (name, value), text in zip(asked, opened_, strict=True)}
        return Mark(
            change=index,
            phone=phone,
            country=country,
            email=email,
            purchase=stored.purchase,
            opted_out=stored.opted_out,
            superseded_by=stored.superseded_by,
            superseded=stored.superseded,
            answers=found,
        )

    def _person(self, session_id: str, names: Sequence[str], stated: Sequence[str]) -> Sequence[str]:
        """Return the decrypted texts about a session's person; empty texts if the key for them is missing."""
        try:
            return [opened(session_id, name, value, self._cipher) for name, value in zip(names, stated, strict=True)]
        except UnreadableError as exc:
            # If a key was added while this process ran, it must restart with that key; its pending entries wait.
            deployment.require_keys(self._scripts, self._keys, self._cipher.ids)
            deployment.report(self._scripts, self._keys, "encryption", f"session {session_id}, its person: {exc}")
            return [""] * len(names)


def _event(change: Change, cipher: Cipher) -> Sequence[str]:
    session_id, stamp, activity, signal, purchase, silent_ms, fields, wants_mark, seen_ms = change
    seen = str(seen_ms) if seen_ms and seen_ms != silent_ms else ""
    stated = (session_id, str(activity), str(signal), str(purchase), str(silent_ms), "1" if wants_mark else "", seen)
    if not fields:
        return stated
    return (*stated, *cipher.encrypt_fields(session_id, stamped(stamp, ""), fields))
