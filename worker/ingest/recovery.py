"""Recovers a consumer after a start or an error, all in one place. `docs/explanation/ingest.md` has a diagram.

    start ──▶ recovering ──▶ reading ──▶ stop
                  ▲             │
                  │             │  an error
                  └── drained ◀─┘

After an error, everything in progress is drained. The replies are awaited and discarded, so that none is left in a
connection, and a prefetched batch is taken. Then nothing counts as applied, marked or acknowledged.

During an outage (a server is down or out of memory) the batches are kept in memory. Reading them again would count as
deliveries until they were quarantined. In a cluster, one node can be down while that of the stream answers. After any
other error they are dropped, and redelivered.

Recovery applies and commits the kept batches, then the entries that were delivered to this consumer and not
acknowledged. It does the same with the stale entries of a dead or stuck consumer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from state.errors import ServerFullError, ServerUnavailableError
from state.event_stream import StreamBatch
from worker.ingest.applier import Applier
from worker.ingest.committer import Committer
from worker.ingest.reader import Reader
from worker.ingest.redelivery import Redelivery
from worker.settings import IngestSettings


class Recovery:
    """The recovery of one consumer."""

    def __init__(
        self, reader: Reader, applier: Applier, committer: Committer, redelivery: Redelivery, settings: IngestSettings
    ) -> None:
        self._reader = reader
        self._applier = applier
        self._committer = committer
        self._redelivery = redelivery
        self._check_every_s = settings.stale_after.total_seconds() / 2
        self._checked_at_s = 0.0
        self._is_needed = True

    def recover(self) -> None:
        """Recover if needed. Periodically, check for new streams and for stale entries of other consumers.

        Raises:
            StateError: Recovery is still needed.
        """
        check = monotonic() - self._checked_at_s > self._check_every_s
        if self._is_needed or check:
            self._reader.open_streams(check_groups=self._is_needed)
        if check:
            self._checked_at_s = monotonic()
            self._is_needed |= self._redelivery.take_over(self._reader.streams)
        if self._is_needed:
            # Batches in flight are pending too, and weren't left by a crash.
            self.finish_all()
            self._redelivery.redeliver(self._reader.streams, self.process)
            self._is_needed = False

    def process(self, reading: StreamBatch) -> None:
        """Apply redelivered entries and acknowledge them."""
        self._applier.submit(self._reader.validate([reading], one_read=False))
        self._committer.finish()

    def finish_all(self) -> None:
        """Apply and acknowledge all entries that were read."""
        if self._reader.is_prefetching:
            self._applier.submit(self._reader.read(prefetch=False))
        self._committer.finish()

    @contextmanager
    def drained_on_error(self) -> Iterator[None]:
        """Drain work in progress if there is an error. A consumer does all its work within this."""
        try:
            yield
        except (ServerFullError, ServerUnavailableError):
            self._drain()
            raise
        except Exception:
            self._drain()
            self._applier.in_flight.clear()
            raise

    def _drain(self) -> None:
        self._is_needed = True
        self._committer.drain()
        for work in self._applier.in_flight:
            work.drain()
        prefetched = self._reader.drain()
        if prefetched is not None:
            self._applier.in_flight.append(prefetched)
        self._applier.forget()
