"""Forgetting a person: finds every trace of them, removes it, and proves by a look at every key that none is left."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import phonenumbers

from detectors.activity import ActivityEvent
from detectors.normalize.countries import country
from detectors.normalize.phones import phone
from detectors.normalize.session_ids import is_hashed, session_key
from detectors.parsing import parse
from state.forgetting import Erased, Forgetting, session_of
from state.optouts import OptOuts
from state.people import person_of
from tasks.payload import phone_in
from worker.batch import sessions_named

MOST_ROUNDS = 5
"""Events that an ingest process had in hand may be applied while we remove: then there is something to find again."""
_TOMBSTONE = frozenset({"state", "forgotten", "sending"})
_BETWEEN = r"[\s().\-/]*"
Progress = Callable[[str, int], None]
"""Called with what is looked through, and how far it is."""
Item = TypeVar("Item")


class Someone:
    """Whom to forget: a phone number (E.164), sessions, or both."""

    def __init__(self, number: str | None, sessions: set[str]) -> None:
        self.number = number
        self.sessions = sessions
        self._digits = _digits(number) if number else None

    def has(self, text: str, country_text: str) -> bool:
        """Whether a phone number as a shop wrote it is theirs."""
        if self.number is None or not text:
            return False
        known = phone(text, country(country_text))
        return known == self.number if known else self.is_in(text)

    def is_in(self, text: str) -> bool:
        """Whether their number, however it is written, is somewhere in a text."""
        return self._digits is not None and self._digits.search(text) is not None

    def is_sent(self, body: str) -> bool:
        """Whether a request goes to their number."""
        try:
            return bool(body) and phone_in(body) == self.number
        except (ValueError, LookupError, TypeError):
            return self.is_in(body)  # not a request of ours; better one too many than one too few

    def named_by(self, event: ActivityEvent) -> bool:
        """Whether an event is about their number."""
        who = event.customer
        return who is not None and self.has(who.phone_number or "", who.country_code or "")


@dataclass(slots=True)
class Traces:
    """What there is of somebody."""

    sessions: set[str] = field(default_factory=set)
    """Those whose data is still there."""
    outreaches: set[str] = field(default_factory=set)
    entries: list[tuple[str, bytes]] = field(default_factory=list)
    """Events that are not applied yet, by stream and id."""
    rejected: list[bytes] = field(default_factory=list)
    person_keys: list[str] = field(default_factory=list)
    refuses: bool = False
    """One of those events is an opt-out."""

    def __bool__(self) -> bool:
        return bool(self.sessions or self.outreaches or self.entries or self.rejected or self.person_keys)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, and what a look at every key found afterwards."""

    erased: Erased
    entries: int
    rejected: int
    person_keys: int
    opted_out: bool
    """A refusal was on its way; it is on the opt-out list now."""
    kept: tuple[str, ...]
    """Keys of the person that stay, and why they do is told by the command."""
    looked_at: int
    left: tuple[str, ...]
    """Keys that still hold a trace: empty, or something is wrong."""


class Forget:
    """Forgets one person."""

    def __init__(self, forgetting: Forgetting, opt_outs: OptOuts, secret: bytes, progress: Progress) -> None:
        self._state = forgetting
        self._opt_outs = opt_outs
        self._secret = secret
        self._progress = progress

    def survey(self, who: Someone) -> Traces:
        """Find everything of somebody; sessions that turn out to be theirs are added to `who`.

        The streams are read first: whatever is applied meanwhile is either still seen there or already in its session.
        """
        found = Traces()
        for _, event in self._entries(who):
            if event is not None and event.session_id is not None and who.named_by(event):
                who.sessions.add(session_key(event.session_id))
        for stored in self._counted("sessions", self._state.sessions()):
            if who.has(stored.phone, stored.country):
                who.sessions.add(stored.session_id)
            if stored.session_id in who.sessions and not stored.forgotten:
                found.sessions.add(stored.session_id)
        made = self._counted("outreaches", self._state.outreaches())
        found.outreaches = {one.outreach for one in made if one.session_id in who.sessions or who.is_sent(one.body)}
        self._survey_entries(who, found)
        found.rejected = [entry_id for entry_id, text in self._state.rejected() if self._names(text, who)]
        if who.number:
            found.person_keys, _ = self._state.person_keys(person_of(who.number, self._secret))
        return found

    def _survey_entries(self, who: Someone, found: Traces) -> None:
        for place, event in self._entries(who):
            # One that cannot be read and holds their number or session goes as well.
            if event is None or who.named_by(event) or sessions_named(event).keys() & who.sessions:
                found.entries.append(place)
                found.refuses |= event is not None and event.type == "opt_out"

    def forget(self, who: Someone, found: Traces) -> Forgotten:
        """Remove what was found and what turns up meanwhile, then look at every key."""
        erased, entries, rejected, gone, refuses = Erased(), 0, 0, 0, False
        for _ in range(MOST_ROUNDS):
            if found.refuses and who.number:
                # Before its event is removed: a refusal is the one thing that must outlive the rest.
                self._opt_outs.add([person_of(who.number, self._secret)])
                refuses = True
            self._state.remove_entries(found.entries)
            erased = _sum(erased, self._state.erase(who.sessions, found.outreaches))
            self._state.remove_rejected(found.rejected)
            if who.number and found:
                self._state.bar(person_of(who.number, self._secret))
            self._state.delete(found.person_keys)
            entries, rejected = entries + len(found.entries), rejected + len(found.rejected)
            gone += len(found.person_keys)
            found = self.survey(who)
            if not found:
                break
        left, looked_at = self._prove(who)
        kept = self._state.person_keys(person_of(who.number, self._secret))[1] if who.number else []
        return Forgotten(erased, entries, rejected, gone, refuses, tuple(kept), looked_at, left)

    def _prove(self, who: Someone) -> tuple[tuple[str, ...], int]:
        """Look at every key; return those that hold the number or a session, and how many were looked at."""
        left: dict[str, None] = {}
        looked_at, last = 0, ""
        for key, text in self._counted("proof", self._state.everything()):
            looked_at += key != last
            last, session_id = key, session_of(key)
            if session_id in who.sessions:
                if self._state.left_of(session_id) - _TOMBSTONE:
                    left[key] = None
            elif self._names(text, who) or who.is_in(key):
                stored = self._state.whom(session_id) if session_id else None
                # Of a number that is somebody else's, in another country, only the digits are the same.
                if stored is None or not who.is_in(stored.phone) or who.has(stored.phone, stored.country):
                    left[key] = None
        return tuple(left), looked_at

    def _entries(self, who: Someone) -> Iterator[tuple[tuple[str, bytes], ActivityEvent | None]]:
        """Read the events that are not applied yet and may be about somebody: most need not be understood."""
        # What the shop calls a session whose id is hashed is not known: each event has to be read for it.
        read_all = any(map(is_hashed, who.sessions))
        for key, entry in self._counted("events", self._state.entries()):
            raw = entry.event or b""
            names_them = self._names(raw.decode(errors="replace"), who)
            event = parse(raw).event if names_them or read_all else None
            if names_them or event is not None:
                yield (key, entry.id), event

    def _names(self, text: str, who: Someone) -> bool:
        return who.is_in(text) or any(_holds_word(text, session) for session in who.sessions)

    def _counted(self, what: str, items: Iterator[Item]) -> Iterator[Item]:
        for number, item in enumerate(items, 1):
            if number % 500 == 0:
                self._progress(what, number)
            yield item


def someone(forgetting: Forgetting, number: str | None, session_id: str | None) -> Someone:
    """Return whom a number, or a session, stands for."""
    if session_id is None:
        return Someone(number, set())
    stored = forgetting.whom(session_id)
    return Someone(phone(stored.phone, country(stored.country)) if stored.phone else None, {session_id})


def _digits(number: str) -> re.Pattern[str]:
    """Return what finds a number in any way of writing it: with or without its country code, with signs in between.

    The digit before the national number is a trunk prefix, or the 1 of Mexican mobiles in their old form.
    """
    parsed = phonenumbers.parse(number)
    national = phonenumbers.national_significant_number(parsed)
    code = _BETWEEN.join(str(parsed.country_code))
    return re.compile(rf"(?<!\d)(?:{code}{_BETWEEN})?[01]?{_BETWEEN}{_BETWEEN.join(national)}(?!\d)")


def _holds_word(text: str, word: str) -> bool:
    """Whether a session's id is in a text by itself, and not as a part of another id."""
    at = text.find(word)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (_is_part(before) or _is_part(after)):
            return True
        at = text.find(word, at + 1)
    return False


def _is_part(char: str) -> bool:
    return bool(char) and char.isascii() and (char.isalnum() or char in "._:-~@+=")


def _sum(one: Erased, other: Erased) -> Erased:
    return Erased(one.sessions + other.sessions, one.outreaches + other.outreaches, one.skeletons + other.skeletons)
