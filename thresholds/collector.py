"""Finds the silences of a recording in one pass over its events, which come by time."""

from collections.abc import Callable
from typing import Generic
from zlib import crc32

from thresholds.grid import DAY_MS, GRID, MINUTE_MS
from thresholds.observed import D, Facts, Observed, Totals
from thresholds.session_ids import GapCounter
from thresholds.silences import GROUPS, Claim, Silences

FORGOTTEN_MS = 7 * DAY_MS
"""After this silence, a session begins again, as in Redis."""
_CLEAN_UP_MS = DAY_MS // 2
_BOT_MS = 60_000
_SHORTEST_MS = GRID[0]


class _Session(Generic[D]):
    __slots__ = (
        "activity", "begin", "bought", "burst", "claim", "is_bot", "is_tuned", "key", "known", "last_ms", "minute",
        "number", "person", "rows", "stamp",
    )  # fmt: skip

    def __init__(self, number: int, key: str, claim: Claim | None) -> None:
        self.number, self.key, self.claim = number, key, claim
        self.stamp = self.activity = self.begin = self.bought = self.last_ms = 0
        self.minute = self.burst = self.person = 0
        self.is_bot = self.is_tuned = False
        self.known: D | None = None
        self.rows: list[int] = []


class Collector(Generic[D]):
    """Takes events one by one; `finish` completes the silences."""

    def __init__(
        self,
        facts: Facts[D],
        *,
        cooldown_ms: int = 0,
        bot_events: int | None = None,
        claim_of: Callable[[str], Claim | None] = lambda _: None,
    ) -> None:
        """Begin with an empty recording.

        Args:
            facts: Reads what events say.
            cooldown_ms: People who bought within this time aren't contacted.
            bot_events: More events of a session in a minute mark a bot; None: no detection.
            claim_of: The contact of a session in the recording.
        """
        self._facts, self._cooldown_ms, self._bot_events, self._claim_of = facts, cooldown_ms, bot_events, claim_of
        self.silences = Silences()
        self.gaps = GapCounter()
        self.totals = Totals()
        self._sessions: dict[str, _Session[D]] = {}
        self._people: dict[int, list[_Session[D]]] = {}
        self._bought: dict[int, int] = {}
        self._opted_out: set[int | str] = set()
        self._cleaned_ms = 0
        self._bots: set[int] = set()

    def take(self, event: Observed) -> None:
        """Take the next event."""
        stamp, at_ms, key, activity, is_tuned, is_order, is_optout, people, also, said = event
        totals = self.totals
        totals.events += 1
        totals.first_ms = totals.first_ms or at_ms
        if at_ms > totals.last_ms:  # noqa: PLR1730 - max() takes longer
            totals.last_ms = at_ms
        if is_optout:
            self._opt_out(key, people)
            return
        session = self._session(key, at_ms) if key else None
        if session is not None:
            self._end_own(session, at_ms)
            if said is not None:
                session.known = self._facts.learned(session.known, said, is_late=stamp < session.stamp)
                person = self._facts.person(session.known)
                if person and person != session.person:
                    self._name(session, person)
        if also or people or (session is not None and session.person):
            self._end_others(session, event)
        if is_order:
            self._order(session, event)
        if session is not None and stamp >= session.stamp:
            session.stamp, session.begin, session.is_tuned = stamp, at_ms, is_tuned
            session.activity = max(session.activity, activity)
        if at_ms - self._cleaned_ms >= _CLEAN_UP_MS:
            self._clean_up(at_ms)

    def finish(self) -> Silences:
        """End the recording and return its silences."""
        for session in self._sessions.values():
            self._end(session, 0)
        if self._bots:
            self._leave_out_bots()
        self.totals.bots = len(self._bots)
        return self.silences

    def _session(self, key: str, at_ms: int) -> _Session[D]:
        session = self._sessions.get(key)
        if session is not None and at_ms - session.last_ms > FORGOTTEN_MS:
            self._end(session, 0)
            session = None
        if session is None:
            session = _Session(self.totals.sessions, key, self._claim_of(key))
            self.totals.sessions += 1
            self.totals.starts.append(at_ms)
            self.totals.named.append(0)
            self._sessions[key] = session
        return session

    def _opt_out(self, key: str, people: tuple[int, ...]) -> None:
        self._opted_out.update(people)
        session = self._sessions.get(key)
        if session is not None:
            self._opted_out.add(session.person or session.key)

    def _end_own(self, session: _Session[D], at_ms: int) -> None:
        gap = at_ms - session.last_ms
        if gap > MINUTE_MS and session.last_ms:
            self.gaps.add(gap)
        if gap > 0:
            session.last_ms = at_ms
        if self._bot_events is not None:
            minute = at_ms // _BOT_MS
            session.burst = session.burst + 1 if minute == session.minute else 1
            session.minute = minute
            if session.burst > self._bot_events and not session.is_bot:
                session.is_bot = True
                self._bots.add(session.number)
        if session.begin:
            self._end(session, at_ms)

    def _end(self, session: _Session[D], end_ms: int) -> None:
        """End a session's silence; 0: nothing ended it."""
        begin = session.begin
        if end_ms and end_ms < begin:
            return
        session.begin = 0
        is_long = not end_ms or end_ms - begin > _SHORTEST_MS
        if not is_long or not begin or not session.is_tuned or not session.activity or session.is_bot:
            return
        claim = session.claim
        if claim is not None and claim.at_ms < begin:
            return
        person, rank = session.person, session.activity % 100
        if session.bought or person:
            bought = max(session.bought, self._bought.get(person, 0) if person else 0)
            if bought and begin - bought < self._cooldown_ms:
                return
        if self._opted_out and (person in self._opted_out or session.key in self._opted_out):
            return
        if not self._facts.is_eligible(session.known, rank):
            return
        row = self.silences.add(
            session.number,
            begin,
            end_ms,
            rank=rank,
            group=(person or crc32(session.key.encode())) % GROUPS,
            clock=self._facts.clock(session.known, rank),
        )
        session.rows.append(row)
        if claim is not None and (not end_ms or claim.at_ms < end_ms):
            self.silences.claims[row] = claim

    def _name(self, session: _Session[D], person: int) -> None:
        if not session.person:
            self.totals.named[session.number] = 1
        elif session in self._people.get(session.person, ()):
            self._people[session.person].remove(session)
        session.person = person
        self.totals.persons.add(person)
        self._people.setdefault(person, []).append(session)

    def _end_others(self, session: _Session[D] | None, event: Observed) -> None:
        for other in self._others(session, event):
            if other.begin:
                self._end(other, event.at_ms)

    def _others(self, session: _Session[D] | None, event: Observed) -> list[_Session[D]]:
        """Return the other sessions of an event's people, and those that it names."""
        named = event.people if session is None or not session.person else (session.person, *event.people)
        found = [one for person in dict.fromkeys(named) for one in self._people.get(person, ()) if one is not session]
        found += [one for key in event.also if (one := self._sessions.get(key)) is not None and one is not session]
        return found

    def _order(self, session: _Session[D] | None, event: Observed) -> None:
        """Let an order end the wait for one, of the session and of all sessions of its people."""
        order, begin, at_ms = self.silences.order, self.silences.begin, event.at_ms
        for one in (*((session,) if session else ()), *self._others(session, event)):
            for row in one.rows:
                if begin[row] <= at_ms and not order[row]:
                    order[row] = at_ms
            one.rows = [row for row in one.rows if begin[row] > at_ms]
            one.bought = max(one.bought, at_ms)
        for person in (*event.people, *((session.person,) if session and session.person else ())):
            self._bought[person] = max(self._bought.get(person, 0), at_ms)

    def _clean_up(self, at_ms: int) -> None:
        self._cleaned_ms = at_ms
        for key in [key for key, one in self._sessions.items() if at_ms - one.last_ms > FORGOTTEN_MS]:
            session = self._sessions.pop(key)
            self._end(session, 0)
            several = self._people.get(session.person)
            if several and session in several:
                several.remove(session)
                if not several:
                    del self._people[session.person]

    def _leave_out_bots(self) -> None:
        """Leave out all silences of bots, also those before a bot was noticed."""
        silences = self.silences
        for row, number in enumerate(silences.session):
            if number in self._bots:
                # A silence of no length is never a contact.
                silences.end[row] = silences.begin[row]
