"""Commits applied batches: writes all other effects of their events, and only then acknowledges them.

The order: hand sessions over to their successors, name and mark people, credit orders, quarantine rejected entries.
After a crash before the acknowledgement all of it is repeated and changes nothing.
"""

from dataclasses import dataclass

from state.pending import Pending
from worker.ingest.applier import Applier
from worker.ingest.batch import Rejection
from worker.ingest.crediting import Crediting
from worker.ingest.in_flight import InFlight, Reached
from worker.ingest.people import PeopleWriter
from worker.ingest.rejection_log import RejectionLog
from worker.ingest.takeovers import Takeovers
from worker.runtime import State


@dataclass(slots=True)
class IngestTotals:
    """The work of one process since its start."""

    entries: int = 0
    changes: int = 0
    rejected: int = 0


class Committer:
    """Commits the batches that an applier has in flight, oldest first. At most one acknowledgement is in progress."""

    def __init__(self, state: State, applier: Applier, naming: PeopleWriter, reached: Reached) -> None:
        self.totals = IngestTotals()
        self._streams = state.streams
        self._crediting = Crediting(state.secret, state.attribution, state.experiments)
        self._takeovers = Takeovers(state.sessions)
        self._applier = applier
        self._people_writer = naming
        self._reached = reached
        self._rejection_log = RejectionLog()
        self._acknowledged: Pending[list[int]] | None = None

    def finish(self, leave: int = 0) -> None:
        """Apply and commit the batches in flight.

        `leave`: number of batches that can stay while they are applied, and as many more while their people are marked.

        Raises:
            StateError: Some of it may not have been written. No batch is acknowledged before all of it is written.
        """
        in_flight = self._applier.in_flight
        for number, work in enumerate(in_flight, 1):
            if len(in_flight) - number >= leave and work.named is None:
                self._applier.finish(work)
                self._begin_naming(work)
        while len(in_flight) > 2 * leave:
            self._commit(in_flight[0])
            in_flight.popleft()
        if not leave:
            self._wait()

    def drain(self) -> None:
        """Wait for the acknowledgement in progress and discard its reply: entries that it missed are redelivered."""
        acknowledged, self._acknowledged = self._acknowledged, None
        if acknowledged is not None:
            acknowledged.drain()

    def _begin_naming(self, work: InFlight) -> None:
        handed_over = self._takeovers.hand_over(work.batch, work.marks)
        work.named = self._people_writer.begin(work.batch, work.marks, handed_over)

    def _finish_naming(self, work: InFlight) -> None:
        while (named := work.named) is not None:
            work.named = None
            if not named.result():
                self._applier.finish(work)
                self._begin_naming(work)

    def _commit(self, work: InFlight) -> None:
        self._finish_naming(work)
        batch = work.batch
        self._crediting.credit(batch.orders, work.marks, batch.changes)
        for rejection in batch.rejections:
            self._quarantine(rejection)
        self._rejection_log.add(batch.rejections)
        self._wait()
        if work.readings:
            self._reached("people_marked")
            self._acknowledged = self._streams.send_acknowledge(work.readings, one_read=work.one_read)
        self.totals.entries += work.entries
        self.totals.changes += len(batch.changes)
        self.totals.rejected += len(batch.rejections)

    def _quarantine(self, rejection: Rejection) -> None:
        problems = [(problem.field, problem.message) for problem in rejection.problems]
        self._streams.reject(rejection.entry_id, problems, applied=rejection.applied, session=rejection.session)

    def _wait(self) -> None:
        """Wait for the acknowledgement in progress."""
        acknowledged, self._acknowledged = self._acknowledged, None
        if acknowledged is not None:
            acknowledged.result()
