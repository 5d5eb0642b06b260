"""From the events of a batch to the people they are about: who was named where, who bought, opted out or answered."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import NamedTuple

import structlog

from detectors.normalize.identities import identities_of, named_by
from detectors.sequence import occurred_ms
from detectors.session_fields import CONSENT, GIVEN_AT, SOURCE
from state.channels import Channel
from state.pending import Pending
from state.people import People, person_of
from state.person_marks import MOST_LINKED, Answer, Marks, Named, Told
from state.sessions import Change, Mark, new_change
from worker.ingest.answers import answered
from worker.ingest.batch import Batch

MOST_NOTED, NOTED_AGAIN_S = 100_000, 3600.0
"""The person in a session is noted once for any number of events, and periodically again.

It is noted again whenever it may be gone: after each `winback forget`, and after each new connection to the server,
which may have been restarted or replaced and have lost it.
"""
SHARED = f"an e-mail address or phone number is used with more than {MOST_LINKED} others: it identifies nobody"

log = structlog.get_logger("winback.ingest")
Said = tuple[str, str, str, str]
"""A session, and what an event says of its person: phone, country, e-mail address."""


class Since(NamedTuple):
    """Until these change, nothing that was noted is gone."""

    connects: int
    """How many connections this process has made; see `state.connection_count`."""
    forgets: str
    """The last removal by `winback forget`."""


class InSession(NamedTuple):
    """What a session knows of its person, and since when (Unix ms)."""

    session: str
    at_ms: int
    mark: Mark
    notes: bool
    """Whether the person is to be noted as named in it."""


class Naming:
    """Writes what a batch says of people. `report`: record what is wrong, for `winback status`."""

    def __init__(self, people: People, secret: bytes, report: Callable[[str, str], object]) -> None:
        self._people = people
        self._secret = secret
        self._report = report
        self._noted: set[Said] = set()
        self._noted_from = 0.0
        self._since = Since(0, "")
        self._told_shared = False

    def skip_known(self, batch: Batch) -> None:
        """Let those changes no longer ask whose session it is that say nothing new of it."""
        if self._noted and (len(self._noted) > MOST_NOTED or monotonic() - self._noted_from > NOTED_AGAIN_S):
            self._noted.clear()
            self._told_shared = False
        batch.quiet_since = self._since
        for place in batch.telling:
            change = batch.changes[place]
            is_known = _said(change) in self._noted and not _answers(change)
            if change.tell == is_known:
                batch.changes[place] = new_change((*change[:7], not is_known, change.seen_ms))

    def forget(self) -> None:
        """Rely on nothing that was noted before: the server may have lost it."""
        self._noted.clear()

    def begin(self, batch: Batch, marks: Sequence[Mark], handed: Iterable[InSession]) -> Pending[bool]:
        """Begin to name and mark people; take the result before the events are acknowledged.

        The result is whether all are named. If not, earlier notes may be gone: ask and apply the batch once more.

        Raises:
            StateError: some may not have been written; do it again.
        """
        found = [self._in_session(batch.changes[mark.change], mark) for mark in marks]
        # Handing over takes a round trip each, and there is hardly ever one.
        found += handed
        named = [one for place in found if place.notes for one in self._named(place)]
        # Only now: what is asked for before a batch is applied may change until it is.
        waits = self._people.begin_telling(named, self._marks(batch, found), ask_forgets=bool(batch.telling))
        told_of = [_said(batch.changes[mark.change]) for mark in marks if batch.changes[mark.change].tell]
        quiet = any(not batch.changes[place].tell for place in batch.telling)

        def wait() -> bool:
            told = waits.result()
            self._say_shared(told)
            return not batch.telling or self._remember(told, told_of, batch.quiet_since) or not quiet

        return Pending(wait)

    def _remember(self, told: Told, told_of: Iterable[Said], since: object) -> bool:
        """Remember the people who were noted; False if notes from before `since` may be gone."""
        now = Since(self._people.connects, told.forgets)
        if now != self._since:
            self._noted.clear()
            self._since = now
        if now != since:
            return False
        # A barred person was not noted, and a later event of the same session may note them.
        if not told.barred:
            if not self._noted:
                self._noted_from = monotonic()
            self._noted.update(told_of)
        return True

    def _in_session(self, change: Change, mark: Mark) -> InSession:
        return InSession(change.session_id, occurred_ms(change.stamp), mark, notes=change.tell)

    def _named(self, place: InSession) -> Iterator[Named]:
        """Yield the person by each identity, the one with the other."""
        mark = place.mark
        people = self._of(identities_of(mark.phone, mark.country, mark.email))
        for person in people:
            others = [other for other in people if other != person]
            yield Named(person, place.session, place.at_ms, *others[:1])

    def _marks(self, batch: Batch, found: Iterable[InSession]) -> Mapping[str, Marks]:
        marks: dict[str, Marks] = {}

        def of(identities: Iterable[str]) -> Iterator[Marks]:
            return (marks.setdefault(person, Marks()) for person in self._of(identities))

        for identity, at_ms in batch.bought:
            for one in of([identity]):
                one.bought(at_ms)
        for identity, at_ms in batch.opted_out:
            for one in of([identity]):
                one.opted_out(at_ms)
        for said in batch.answers:
            answer = answered("true" if said.said == "yes" else "false", said.at_ms, said.given_at, said.source)
            for one in of([said.identity]):
                if answer:
                    one.answered(said.channel, answer)
        for place in found:
            self._add_session(place, of)
        return marks

    def _add_session(self, place: InSession, of: Callable[[Iterable[str]], Iterator[Marks]]) -> None:
        mark = place.mark
        answers = _answers_in(mark)
        if not (mark.purchase or mark.opted_out or answers):
            return
        surely = identities_of(mark.phone, mark.country, mark.email)
        maybe = named_by(mark.phone, mark.country, mark.email)
        for one in of(maybe):
            if mark.purchase:
                one.bought(occurred_ms(mark.purchase))
            if mark.opted_out:
                one.opted_out(place.at_ms)
        for channel, answer in answers.items():
            for one in of(surely if answer.allowed else maybe):
                one.answered(channel, answer)

    def _of(self, identities: Iterable[str]) -> list[str]:
        return [person_of(identity, self._secret) for identity in identities]

    def _say_shared(self, told: Told) -> None:
        if told.shared and not self._told_shared:
            self._told_shared = True
            log.warning("identity_shared", text=SHARED)
            self._report("shared_identity", SHARED)


def _said(change: Change) -> Said:
    fields = change.fields
    return change.session_id, fields.get("phone", ""), fields.get("country", ""), fields.get("email", "")


def _answers(change: Change) -> bool:
    return any(map(change.fields.get, CONSENT.values()))


def _answers_in(mark: Mark) -> dict[Channel, Answer]:
    """Return what a session's person answered. A proof counts for what was said in the same event."""
    found: dict[Channel, Answer] = {}
    given_at, source = mark.answers.get(GIVEN_AT, (0, "")), mark.answers.get(SOURCE, (0, ""))
    for channel, name in CONSENT.items():
        stamp, text = mark.answers.get(name, (0, ""))
        proofs = [said if at == stamp else "" for at, said in (given_at, source)]
        answer = answered(text, occurred_ms(stamp), *proofs)
        if answer:
            found[channel] = answer
    return found
