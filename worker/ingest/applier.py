"""Applies batches: sends their changes and the counts of their orders. The server works in the meantime."""

from collections import deque

from state.event_flow import count_events
from state.keys import Keys
from state.orders import Orders
from state.pending import Pending
from state.sessions import Mark, Sessions
from worker.ingest.batch import Batch
from worker.ingest.in_flight import InFlight, Reached
from worker.ingest.order_counts import Counting, OrderCount
from worker.ingest.people import PeopleWriter


class Applier:
    """Applies the batches of one consumer, in any order. Applying a batch twice changes nothing."""

    def __init__(self, sessions: Sessions, orders: Orders, naming: PeopleWriter, reached: Reached, keys: Keys) -> None:
        self.in_flight: deque[InFlight] = deque()
        """Batches that were read and aren't committed yet, oldest first."""
        self._sessions = sessions
        self._order_count = OrderCount(orders)
        self._people_writer = naming
        self._reached = reached
        self._keys = keys

    def submit(self, work: InFlight) -> None:
        """Begin to apply a batch. It stays in flight even if that fails."""
        self.in_flight.append(work)
        work.applied = self._send(work.batch)

    def finish(self, work: InFlight) -> None:
        """Wait until a batch is applied. If it isn't being applied, send it first.

        Raises:
            StateError: Some of it may not have been applied.
        """
        applied, work.applied = work.applied or self._send(work.batch), None
        work.marks = applied.result()
        if work.readings:
            self._reached("events_applied")

    def forget(self) -> None:
        """Discard the memory of earlier counts and notes: the server may have lost them."""
        self._order_count.forget()
        self._people_writer.forget()

    def _send(self, batch: Batch) -> Pending[list[Mark]]:
        self._people_writer.skip_known(batch)
        counting = self._order_count.calls(batch)
        flow = [] if batch.flow is None else [count_events(self._keys, batch.flow)]
        applied = self._sessions.send(batch.changes, [*counting.calls, *flow])
        return applied.then(lambda marks: self._counted(batch, counting, marks))

    def _counted(self, batch: Batch, counting: Counting, marks: list[Mark]) -> list[Mark]:
        self._order_count.remember(counting.sessions)
        # If the batch is applied again, its events aren't counted again.
        batch.flow = None
        return marks
