"""Redelivers unacknowledged entries: its own after a crash, and those of a dead or stuck consumer."""

from collections.abc import Callable, Iterable, Sequence

import structlog

from detectors.lanes import milliseconds
from detectors.parsing import session_in
from state.event_stream import Stream, StreamBatch, StreamEntry
from state.event_streams import Streams
from worker.settings import IngestSettings

FEW_DELIVERIES = 2
"""Up to this number of deliveries an entry is processed in a batch: the likely cause is a restart, not the entry."""

log = structlog.get_logger("winback.ingest")


class Redelivery:
    """Redelivers the pending entries of one consumer."""

    def __init__(self, streams: Streams, consumer: str, settings: IngestSettings) -> None:
        self._streams = streams
        self._consumer = consumer
        self._batch = settings.batch
        self._claim_after_ms = milliseconds(settings.stale_after)
        # An entry is quarantined only after it has failed in a batch of one: a restart must not cost other entries.
        self._most_deliveries = max(settings.max_deliveries, 2)
        self._few_deliveries = min(FEW_DELIVERIES, self._most_deliveries - 1)

    def redeliver(self, streams: Iterable[Stream], process: Callable[[StreamBatch], None]) -> None:
        """Process the entries that were delivered to this consumer and not acknowledged.

        One of these entries may be crashing its consumer. Those with several deliveries are therefore read one by one.
        So only the suspect's delivery is counted, and the others are processed.
        """
        for stream in streams:
            while times := stream.deliveries(self._consumer):
                count = 1 if times >= self._few_deliveries else self._batch
                entries = stream.read_pending(self._consumer, count=count)
                if times >= self._most_deliveries:
                    self._quarantine(stream, entries, times)
                else:
                    process(StreamBatch(stream, entries))

    def take_over(self, streams: Iterable[Stream]) -> bool:
        """Claim entries that another consumer hasn't acknowledged for too long: it is dead or stuck.

        Return whether there were any.
        """
        found = False
        for stream in streams:
            while taken := stream.take_over(self._consumer, idle_ms=self._claim_after_ms, count=self._batch):
                log.warning("entries_claimed", entries=taken)
                found = True
        return found

    def _quarantine(self, stream: Stream, entries: Sequence[StreamEntry], times: int) -> None:
        problem = ("event", f"was delivered {times} times without being applied: it crashes its consumer")
        for entry in entries:
            log.error("event_quarantined", entry=entry.id.decode(), deliveries=times)
            named = session_in(entry.event or b"")
            self._streams.reject(entry.id, [problem], applied=False, session=named)
        stream.acknowledge([entry.id for entry in entries])
