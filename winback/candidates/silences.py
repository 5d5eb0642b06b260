"""Every silence of a recording with what was known at its beginning, in one pass over the events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from detectors.sequence import RANK_SPAN, occurred_ms
from detectors.session_fields import BOT, CONSENT
from state.channels import Channel
from state.person_marks import ConsentAnswer
from winback.candidates.heard import Heard, person_in

_FORGOTTEN_MS = 7 * 24 * 3_600_000
_MINUTE_MS = 60_000
_CLEAN_UP_MS = 12 * 3_600_000
_NOTHING: Mapping[str, str] = {}


class Known(NamedTuple):
    """What was known of a session; the same object as long as nothing changes."""

    session: str
    fields: Mapping[str, str]
    person: str
    """An identity; empty: not known."""
    cart_stamp: int
    purchase: int
    """The sequence number of the session's last order; 0 for none."""
    number: str = ""
    """The person's phone number in E.164, by the last text and country; empty: none that can be called."""


class Person(NamedTuple):
    """What was known of a person at a moment."""

    bought_ms: int = 0
    paying_until_ms: int = 0
    answers: Mapping[Channel, ConsentAnswer] = {}


@dataclass(slots=True)
class Silence:
    """One silence. Times are Unix ms."""

    known: Known
    about: Person
    activity: int
    """The sequence number of the session's last activity with a stage."""
    kind: int
    begin_ms: int
    last_ms: int
    """When the last event before it occurred."""
    end_ms: int = 0
    """When the session or the person was active again; 0: not in the recording."""
    order_ms: int = 0
    """The first order of the session or the person from its beginning on; 0: none in the recording."""
    optout_ms: int = 0
    """When the person opted out; 0: they didn't until its end."""

    @property
    def rank(self) -> int:
        """Stage and platform, as `ACTIVITY_RANK` gives them."""
        return self.activity % RANK_SPAN


@dataclass(slots=True)
class _Session:
    known: Known
    stamp: int = 0
    activity: int = 0
    last_ms: int = 0
    minute: int = 0
    burst: int = 0
    open: Silence | None = None
    waiting: list[Silence] = field(default_factory=list)
    """Silences without an order so far."""


class SilencePass:
    """Takes events in order; `finish` completes the silences."""

    def __init__(self, bot_events: int | None, shortest_ms: int) -> None:
        """Begin with an empty recording.

        Args:
            bot_events: More events of a session in a minute mark a bot; None: no detection.
            shortest_ms: Silences that aren't longer are left out.
        """
        self._bot_events, self._shortest_ms = bot_events, shortest_ms
        self.silences: list[Silence] = []
        self.first_ms = self.last_ms = 0
        self.events = 0
        self._sessions: dict[str, _Session] = {}
        self._of_person: dict[str, list[_Session]] = {}
        self._people: dict[str, Person] = {}
        self._opted_out: dict[str, int] = {}
        self._cleaned_ms = 0

    def take(self, events: Iterable[Heard]) -> None:
        """Take the next events."""
        for event in events:
            self._take(event)

    def finish(self) -> list[Silence]:
        """Return all silences, in the order of their beginnings."""
        for session in self._sessions.values():
            self._end(session, 0)
        self.silences.sort(key=lambda silence: silence.begin_ms)
        return self.silences

    def _take(self, event: Heard) -> None:
        at_ms = event.at_ms
        self.events += 1
        self.first_ms = self.first_ms or at_ms
        self.last_ms = max(self.last_ms, at_ms)
        session = self._session(event) if event.session else None
        people = self._named(session, event)
        if event.is_optout:
            for name in (*people, *((event.session,) if event.session else ())):
                self._opted_out.setdefault(name, at_ms)
            return
        ended = [session, *self._others(session, people, event.also)]
        for one in ended:
            if one is not None:
                self._end(one, at_ms)
        if event.kind < 0:
            self._order(ended, at_ms)
        self._learn(people, event)
        if session is not None and event.stamp >= session.stamp:
            session.stamp = event.stamp
            session.activity = max(session.activity, event.activity)
            self._begin(session, event)
        if at_ms - self._cleaned_ms >= _CLEAN_UP_MS:
            self._clean_up(at_ms)

    def _session(self, event: Heard) -> _Session:
        session = self._sessions.get(event.session)
        if session is not None and event.at_ms - session.last_ms > _FORGOTTEN_MS:
            self._end(session, 0)
            session = None
        if session is None:
            session = self._sessions[event.session] = _Session(Known(event.session, _NOTHING, "", 0, 0))
        session.last_ms = max(session.last_ms, event.at_ms)
        changed = {name: text for name, text in event.fields.items() if session.known.fields.get(name) != text}
        minute = event.at_ms // _MINUTE_MS
        session.burst = session.burst + 1 if minute == session.minute else 1
        session.minute = minute
        if self._bot_events is not None and session.burst > self._bot_events:
            changed[BOT] = "1"
        if changed or event.kind < 0 or "cart" in event.fields:
            self._change(session, event, changed)
        return session

    def _change(self, session: _Session, event: Heard, changed: Mapping[str, str]) -> None:
        known = session.known
        late = event.stamp < session.stamp
        fields = known.fields
        if changed:
            fields = {**changed, **fields} if late else {**fields, **changed}
        is_other = "phone" in changed or "country" in changed
        person, number = person_in(fields) if is_other else (known.person, known.number)
        session.known = Known(
            known.session,
            fields,
            person,
            event.stamp if "cart" in event.fields and not late else known.cart_stamp,
            max(known.purchase, event.stamp) if event.kind < 0 else known.purchase,
            number,
        )
        if person and person != known.person:
            if known.person and session in self._of_person.get(known.person, ()):
                self._of_person[known.person].remove(session)
            self._of_person.setdefault(person, []).append(session)

    @staticmethod
    def _named(session: _Session | None, event: Heard) -> tuple[str, ...]:
        own = (session.known.person,) if session is not None and session.known.person else ()
        return tuple(dict.fromkeys((*own, *event.people)))

    def _others(self, session: _Session | None, people: Iterable[str], also: Iterable[str]) -> list[_Session]:
        found = [one for person in people for one in self._of_person.get(person, ()) if one is not session]
        return found + [one for key in also if (one := self._sessions.get(key)) is not None and one is not session]

    def _begin(self, session: _Session, event: Heard) -> None:
        if event.kind < 0 or not session.activity:
            return
        known = session.known
        about = self._people.get(known.person, Person()) if known.person else Person()
        session.open = Silence(known, about, session.activity, event.kind, event.silent_ms, occurred_ms(event.stamp))

    def _end(self, session: _Session, end_ms: int) -> None:
        silence = session.open
        if silence is None:
            return
        session.open = None
        silence.end_ms = end_ms
        if end_ms and end_ms <= silence.begin_ms + self._shortest_ms:
            return
        known = silence.known
        silence.optout_ms = self._opted_out.get(known.session, 0) or self._opted_out.get(known.person, 0)
        self.silences.append(silence)
        session.waiting.append(silence)

    def _order(self, sessions: Iterable[_Session | None], at_ms: int) -> None:
        for session in sessions:
            if session is not None:
                for silence in session.waiting:
                    if silence.begin_ms <= at_ms:
                        silence.order_ms = at_ms
                session.waiting = [silence for silence in session.waiting if not silence.order_ms]

    def _learn(self, people: Iterable[str], event: Heard) -> None:
        answers = {
            channel: ConsentAnswer(text == "true", event.at_ms)
            for channel, name in CONSENT.items()
            if (text := event.fields.get(name))
        }
        for person in people if answers or event.kind < 0 or event.paying_ms >= 0 else ():
            before = self._people.get(person, Person())
            self._people[person] = Person(
                event.at_ms if event.kind < 0 else before.bought_ms,
                event.paying_ms if event.paying_ms >= 0 else before.paying_until_ms,
                {**before.answers, **answers},
            )

    def _clean_up(self, at_ms: int) -> None:
        self._cleaned_ms = at_ms
        for key in [key for key, one in self._sessions.items() if at_ms - one.last_ms > _FORGOTTEN_MS]:
            session = self._sessions.pop(key)
            self._end(session, 0)
            several = self._of_person.get(session.known.person)
            if several and session in several:
                several.remove(session)
