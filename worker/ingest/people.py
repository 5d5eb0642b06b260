"""Names and marks the people whom a batch is about, and remembers who was noted, so that it happens once."""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

import structlog

from detectors.sequence import occurred_ms
from detectors.session_fields import CONSENT
from state.pending import Pending
from state.people import People
from state.person_marks import MOST_LINKED, Told
from state.sessions import Change, Mark
from worker.ingest.batch import Batch
from worker.ingest.changes import with_tell
from worker.ingest.marking import InSession, marks_of, named_in_session

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
        """Let changes not ask for the person of their session if they say nothing new of them."""
        if self._noted and (len(self._noted) > MOST_NOTED or monotonic() - self._noted_from > NOTED_AGAIN_S):
            self._noted.clear()
            self._told_shared = False
        batch.quiet_since = self._since
        for place in batch.telling:
            change = batch.changes[place]
            is_known = _said(change) in self._noted and not _answers(change)
            if change.tell == is_known:
                batch.changes[place] = with_tell(change, tell=not is_known)

    def forget(self) -> None:
        """Rely on nothing that was noted before: the server may have lost it."""
        self._noted.clear()

    def begin(self, batch: Batch, marks: Sequence[Mark], handed_over: Iterable[InSession]) -> Pending[bool]:
        """Begin to name and mark people; take the result before the events are acknowledged.

        `handed_over`: the data of sessions that have taken over others. The result is False if what was noted before
        may be gone: call `skip_known` and apply the batch once more.

        Raises:
            StateError: some may not have been written; do it again.
        """
        found = [self._in_session(batch.changes[mark.change], mark) for mark in marks]
        found += handed_over
        named = [one for session in found if session.notes for one in named_in_session(session, self._secret)]
        # Only now: what is asked for before a batch is applied may change until it is.
        written = self._people.begin_telling(
            named, marks_of(batch, found, self._secret), ask_forgets=bool(batch.telling)
        )
        noted = [_said(batch.changes[mark.change]) for mark in marks if batch.changes[mark.change].tell]
        any_skipped = any(not batch.changes[place].tell for place in batch.telling)
        return written.then(lambda told: self._are_all_named(batch, told, noted) or not any_skipped)

    def _are_all_named(self, batch: Batch, told: Told, noted: Iterable[Said]) -> bool:
        self._say_shared(told)
        return not batch.telling or self._remember(told, noted, batch.quiet_since)

    def _remember(self, told: Told, noted: Iterable[Said], since: object) -> bool:
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
            self._noted.update(noted)
        return True

    def _in_session(self, change: Change, mark: Mark) -> InSession:
        return InSession(change.session_id, occurred_ms(change.stamp), mark, notes=change.tell)

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
