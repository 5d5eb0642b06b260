"""Redelivers entries that were not acknowledged: its own after a crash, and those of a dead or stuck consumer."""

from collections.abc import Callable, Iterable, Sequence

import structlog

from detectors.lanes import milliseconds
from detectors.parsing import session_in
from state.event_stream import Stream, StreamBatch, StreamEntry
from state.event_streams import Streams
from worker.settings import IngestSettings

FEW_DELIVERIES = 2
"""Up to this number of deliveries an entry is processed in a batch: a restart is the likely cause, not the entry."""

log = structlog.get_logger("winback.ingest")


class Redelivery:
    """Redelivers the pending entries of one consumer."""

    def __init__(self, streams: Streams, consumer: str, settings: IngestSettings) -> None:
        self._streams = streams
        self._consumer = consumer
        self._batch = settings.batch
        self._claim_after_ms = milliseconds(settings.stale_after)
        # An entry is quarantined only after it has failed by itself: a restart must not cost any other entry.
        self._most_deliveries = max(settings.max_deliveries, 2)
        self._few_deliveries = min(FEW_DELIVERIES, self._most_deliveries - 1)

    def redeliver(self, streams: Iterable[Stream], process: Callable[[StreamBatch], None]) -> None:
        """Process what was delivered to this consumer and not acknowledged.

        One of these entries can be what stops its consumer. Those that have been delivered a few times are therefore
        read one by one: only the delivery of the suspect is counted, and the others are processed.
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
        """Take over entries that another consumer has not acknowledged for too long: it is dead or stuck.

        Returns whether there were any.
        """
        found = False
        for stream in streams:
            while taken := stream.take_over(self._consumer, idle_ms=self._claim_after_ms, count=self._batch):
                log.warning("entries_claimed", entries=taken)
                found = True
        return found

    def _quarantine(self, stream: Stream, entries: Sequence[StreamEntry], times: int) -> None:
        problem = ("event", f"was delivered {times} times without being applied: it stops its consumer")
        for entry in entries:
            log.error("event_quarantined", entry=entry.id.decode(), deliveries=times)
            named = session_in(entry.event or b"")
            self._streams.reject(entry.id, [problem], applied=False, session=named)
        stream.acknowledge([entry.id for entry in entries])
