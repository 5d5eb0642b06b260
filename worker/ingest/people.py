"""Names and marks the people in a batch, and remembers recorded people so that each is recorded once."""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

import structlog

from detectors.sequence import occurred_ms
from detectors.session_fields import CONSENT
from state.pending import Pending
from state.people import People
from state.person_marks import MOST_LINKED, MarkingResult
from state.sessions import Change, Mark
from worker.ingest.batch import Batch
from worker.ingest.changes import with_mark
from worker.ingest.marking import InSession, marks_of, named_in_session

MAX_KNOWN, KNOWN_FOR_S = 100_000, 3600.0
"""The person in a session is recorded once for any number of events, and periodically again.

They are recorded again whenever the record may be gone: after each `winback forget`, and after each new connection to
the server, which may have been restarted or replaced and have lost it.
"""
SHARED = f"an e-mail address or phone number is used with more than {MOST_LINKED} others: it identifies no person"

log = structlog.get_logger("winback.ingest")
SessionIdentity = tuple[str, str, str, str]
"""A session, and an event's data about its person: phone, country, e-mail address."""


class Since(NamedTuple):
    """Until these change, no record of a person is lost."""

    connects: int
    """The number of connections that this process has made; see `state.connection_count`."""
    last_erasure: str
    """The last removal by `winback forget`."""


class PeopleWriter:
    """Writes a batch's data about people. `report`: record a problem for `winback status`."""

    def __init__(self, people: People, secret: bytes, report: Callable[[str, str], object]) -> None:
        self._people = people
        self._secret = secret
        self._report = report
        self._known_people: set[SessionIdentity] = set()
        self._known_from_s = 0.0
        self._since = Since(0, "")
        self._logged_shared = False

    def skip_known(self, batch: Batch) -> None:
        """Don't request the person of a session for changes that add nothing about them."""
        if self._known_people and (
            len(self._known_people) > MAX_KNOWN or monotonic() - self._known_from_s > KNOWN_FOR_S
        ):
            self._known_people.clear()
            self._logged_shared = False
        batch.known_since = self._since
        for mention in batch.naming_changes:
            change = batch.changes[mention]
            is_known = _identity_of(change) in self._known_people and not _answers(change)
            if change.wants_mark == is_known:
                batch.changes[mention] = with_mark(change, wants_mark=not is_known)

    def forget(self) -> None:
        """Discard the memory of recorded people: the server may have lost them."""
        self._known_people.clear()

    def begin(self, batch: Batch, marks: Sequence[Mark], handed_over: Iterable[InSession]) -> Pending[bool]:
        """Begin to name and mark people. Take the result before the events are acknowledged.

        `handed_over`: the data of sessions that supersede others. The result is False if earlier records may be gone:
        then call `skip_known` and apply the batch again.

        Raises:
            StateError: Some may not have been written; do it again.
        """
        found = [self._in_session(batch, mark) for mark in marks]
        found += handed_over
        named = [one for session in found if session.notes for one in named_in_session(session, self._secret)]
        # Not earlier: the value can still change until the batch is applied.
        written = self._people.send_marks(
            named,
            marks_of(batch, found, self._secret, self._people.payment_window_ms),
            ask_last_erasure=bool(batch.naming_changes),
        )
        is_known = [_identity_of(batch.changes[mark.change]) for mark in marks if batch.changes[mark.change].wants_mark]
        any_skipped = any(not batch.changes[mention].wants_mark for mention in batch.naming_changes)
        return written.then(lambda result: self._are_all_named(batch, result, is_known) or not any_skipped)

    def _are_all_named(self, batch: Batch, result: MarkingResult, is_known: Iterable[SessionIdentity]) -> bool:
        self._log_shared(result)
        return not batch.naming_changes or self._remember(result, is_known, batch.known_since)

    def _remember(self, result: MarkingResult, is_known: Iterable[SessionIdentity], since: object) -> bool:
        """Remember the recorded people; return False if records made before `since` may be gone."""
        now = Since(self._people.connects, result.last_erasure)
        if now != self._since:
            self._known_people.clear()
            self._since = now
        if now != since:
            return False
        # An erased person wasn't recorded, and a later event of the same session may record them.
        if not result.erased:
            if not self._known_people:
                self._known_from_s = monotonic()
            self._known_people.update(is_known)
        return True

    def _in_session(self, batch: Batch, mark: Mark) -> InSession:
        change = batch.changes[mark.change]
        return InSession(
            change.session_id,
            occurred_ms(change.stamp),
            mark,
            notes=change.wants_mark,
            payment=batch.session_payments.get(mark.change),
        )

    def _log_shared(self, result: MarkingResult) -> None:
        if result.shared and not self._logged_shared:
            self._logged_shared = True
            log.warning("identity_shared", text=SHARED)
            self._report("shared_identity", SHARED)


def _identity_of(change: Change) -> SessionIdentity:
    fields = change.fields
    return change.session_id, fields.get("phone", ""), fields.get("country", ""), fields.get("email", "")


def _answers(change: Change) -> bool:
    return any(map(change.fields.get, CONSENT.values()))
