"""The person that a command is about: identities, sessions, and how to recognise their traces."""

from collections.abc import Iterable, Mapping

from detectors.activity import ActivityEvent
from detectors.normalize.identities import identities_of, named_by
from detectors.sessions_named import sessions_named
from state.people import person_of
from state.stored_data import StoredPerson
from tasks.delivery.request import email_in, phone_in
from tasks.erasure.spellings import Spellings, plain
from tasks.outcomes.entry import session_in_feed


class DataSubject:
    """One person. Commands that find more of their identities and sessions add these here.

    `identities` are the named ones, `sessions` those of the person. `lenient`: a number or address with two readings
    belongs to them if either reading does. That is safe for removing data, but not for handing it out.
    """

    def __init__(self, identities: Iterable[str], sessions: Iterable[str], secret: bytes, *, lenient: bool) -> None:
        self.named = tuple(dict.fromkeys(identities))
        self.linked: dict[str, None] = {}
        """Identities that were seen together with the named ones."""
        self.shared: dict[str, None] = {}
        """Identities that were also seen together with them, but that many people share."""
        self.sessions = set(sessions)
        self.original_ids: set[str] = set()
        """The ids of sessions that are stored under another id."""
        self.linked_people: set[str] = set()
        """People whose identity is no longer known, except that it was seen together with one of these."""
        self._secret = secret
        self._lenient = lenient
        self._spellings = Spellings(self.named)

    @property
    def identities(self) -> tuple[str, ...]:
        """Return all identities, the named ones first."""
        return (*self.named, *self.linked)

    def add_session(self, stored: StoredPerson) -> None:
        """Add a stored session of the person."""
        self.sessions.add(stored.session_id)
        if stored.original_id:
            self.original_ids.add(stored.original_id)

    def link(self, identities: Iterable[str]) -> None:
        """Add identities that were seen together with the named ones."""
        self.linked.update(dict.fromkeys(one for one in identities if one not in self.named))
        self._spellings = Spellings(self.identities)

    def name(self, identities: Iterable[str]) -> None:
        """Add identities to the named ones."""
        self.named = tuple(dict.fromkeys((*self.named, *identities)))
        self._spellings = Spellings(self.identities)

    @property
    def people(self) -> list[str]:
        """Return the person's hashes, one per identity, those of the named ones first."""
        return list(dict.fromkeys([*self.hashes(self.named), *self.hashes(self.linked), *sorted(self.linked_people)]))

    @property
    def named_people(self) -> list[str]:
        """Return the hashes of the named identities."""
        return self.hashes(self.named)

    def is_named_by(self, phone: str, country: str, email: str) -> bool:
        """Return whether values, as a shop wrote them, name the person."""
        if not (phone or email) or not self._spellings.may_be(phone, email):
            return False
        found = (named_by if self._lenient else identities_of)(phone, country, email)
        if not found or (phone and not any(one.startswith("+") for one in found)):
            # An unreadable value has no identity, and may still be theirs.
            return bool(set(found) & set(self.identities)) or self._spellings.is_in(phone)
        return not set(found).isdisjoint(self.identities)

    def is_customer(self, fields: Mapping[str, str]) -> bool:
        """Return whether fields of a customer name the person."""
        return self.is_named_by(*(fields.get(name) or "" for name in ("phone_number", "country_code", "email")))

    def has_session(self, stored: StoredPerson) -> bool:
        """Return whether a stored session belongs to the person."""
        return self.is_named_by(stored.phone, stored.country, stored.email)

    def has_event(self, event: ActivityEvent) -> bool:
        """Return whether an event names the person, or a session of theirs."""
        return self.is_named_in(event) or not self.sessions.isdisjoint(sessions_named(event))

    def is_named_in(self, event: ActivityEvent) -> bool:
        """Return whether an event names the person."""
        return any(
            self.is_named_by(one.phone_number or "", one.country_code or "", one.email or "") for one in event.people
        )

    def is_sent(self, body: str) -> bool:
        """Return whether a request is addressed to the person."""
        if not body:
            return False
        try:
            number, email = phone_in(body), email_in(body)
        except (ValueError, LookupError, TypeError, AttributeError):
            return self._spellings.is_in(body)  # not our request; a false match is safer than a miss
        return self.is_named_by(number, "", email)

    def is_in(self, text: str) -> bool:
        """Return whether a text contains one of the identities in any spelling, or the id of one of the sessions."""
        return self._spellings.is_in(text) or self._has_session(text)

    def has_outcome(self, text: str) -> bool:
        """Return whether an outcome, as it is stored, is that of one of the sessions. Faster than `is_in`."""
        return any(f'"{name}"' in text for id_ in self.sessions for name in (id_, session_in_feed(id_, self._secret)))

    def is_spelled_in(self, text: str) -> bool:
        """Return whether a text contains one of the identities in any spelling."""
        return self._spellings.is_in(text)

    def _has_session(self, text: str) -> bool:
        text = plain(text)
        return any(holds_word(text, session) for session in (*self.sessions, *self.original_ids))

    def hashes(self, identities: Iterable[str]) -> list[str]:
        """Return the hashes of identities."""
        return [person_of(one, self._secret) for one in identities]


def holds_word(text: str, word: str) -> bool:
    """Return whether a session's id is in a text as a whole, not as a part of another id."""
    at = text.find(word)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (_is_part(before) or _is_part(after)):
            return True
        at = text.find(word, at + 1)
    return False


def _is_part(char: str) -> bool:
    return bool(char) and char.isascii() and (char.isalnum() or char in "._:-~@+=")
