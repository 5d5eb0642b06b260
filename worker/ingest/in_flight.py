"""A batch on its way from the streams to its acknowledgement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from state.event_stream import StreamBatch
from state.pending import Pending
from state.sessions import Mark
from worker.ingest.batch import Batch

Step = Literal["events_read", "events_applied", "people_marked"]
Reached = Callable[[Step], object]
"""Called after each step, so that a test can end the process there."""


@dataclass(slots=True)
class InFlight:
    """A batch that was read. It is applied, then its people are named and marked, then it is acknowledged."""

    readings: Sequence[StreamBatch]
    one_read: bool
    """Whether the entries of each stream come from one read, with no other entry between them."""
    batch: Batch
    applied: Pending[list[Mark]] | None = None
    """Set while it is being applied. The result is the marks for people."""
    marks: Sequence[Mark] = ()
    """The marks for people, once the batch is applied."""
    named: Pending[bool] | None = None
    """Set while its people are being named and marked. The result is False if the batch has to be applied again."""

    @property
    def entries(self) -> int:
        """The number of its entries."""
        return sum(len(reading.entries) for reading in self.readings)

    def drain(self) -> None:
        """Wait for the replies that are in flight and discard them: the batch is to be applied again."""
        under_way = (self.named, self.applied)
        self.named = self.applied = None
        for pending in under_way:
            if pending is not None:
                pending.drain()
