"""The people to name and mark, from a batch and its sessions. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from detectors.normalize.identities import identities_of, named_by
from detectors.sequence import occurred_ms
from state.people import person_of
from state.person_marks import Marks, PaymentNews, PersonMention
from state.sessions import Mark
from worker.ingest.answers import answered, answers_of_session
from worker.ingest.batch import Batch


class InSession(NamedTuple):
    """A session's data about its person, and the time of that data (Unix ms)."""

    session: str
    at_ms: int
    mark: Mark
    notes: bool
    """Whether the person has to be recorded as named in it."""
    payment: PaymentNews | None = None
    """The status of a payment, from the event for which the session was read."""


def named_in_session(found: InSession, secret: bytes) -> Iterator[PersonMention]:
    """Yield the person of a session by each identity, linked with the other."""
    mark = found.mark
    people = _people(identities_of(mark.phone, mark.country, mark.email), secret)
    for person in people:
        others = [other for other in people if other != person]
        yield PersonMention(person, found.session, found.at_ms, *others[:1])


def marks_of(batch: Batch, sessions: Iterable[InSession], secret: bytes, payment_window_ms: int) -> Mapping[str, Marks]:
    """Return, by person, the marks from the events of a batch and its sessions.

    `payment_window_ms`: how long a payment without an expiry counts as in progress.
    """
    marks: dict[str, Marks] = {}

    def of(identities: Iterable[str]) -> Iterator[Marks]:
        return (marks.setdefault(person, Marks()) for person in _people(identities, secret))

    for identity, at_ms in batch.bought:
        for one in of([identity]):
            one.bought(at_ms)
    for identity, at_ms in batch.opted_out:
        for one in of([identity]):
            one.opted_out(at_ms)
    for identity, payment in batch.payments:
        for one in of([identity]):
            one.paying(payment, payment_window_ms)
    _add_answers(batch, of)
    for session in sessions:
        _add_session(session, of, payment_window_ms)
    return marks


def _add_answers(batch: Batch, of: Callable[[Iterable[str]], Iterator[Marks]]) -> None:
    for said in batch.answers:
        answer = answered("true" if said.stated == "yes" else "false", said.at_ms, said.given_at, said.source)
        for one in of([said.identity]):
            if answer:
                one.answered(said.channel, answer)


def _add_session(found: InSession, of: Callable[[Iterable[str]], Iterator[Marks]], payment_window_ms: int) -> None:
    mark = found.mark
    answers = answers_of_session(mark)
    if not (mark.purchase or mark.opted_out or answers or found.payment):
        return
    surely = identities_of(mark.phone, mark.country, mark.email)
    maybe = named_by(mark.phone, mark.country, mark.email)
    for one in of(maybe):
        if mark.purchase:
            one.bought(occurred_ms(mark.purchase))
        if mark.opted_out:
            one.opted_out(found.at_ms)
    if found.payment:
        # The end of a payment allows a contact, so it counts only for people who are surely meant.
        for one in of(maybe if found.payment.in_progress else surely):
            one.paying(found.payment, payment_window_ms)
    for channel, answer in answers.items():
        for one in of(surely if answer.allowed else maybe):
            one.answered(channel, answer)


def _people(identities: Iterable[str], secret: bytes) -> list[str]:
    return [person_of(identity, secret) for identity in identities]
