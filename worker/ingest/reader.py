"""Reads entries from all streams and validates them. At most one read is in progress while a batch is applied."""

from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic, time

import structlog

from detectors.lanes import milliseconds
from state.errors import StateError
from state.event_stream import Stream, StreamBatch, StreamEntry
from state.event_streams import Streams
from state.pending import Pending
from worker.ingest.batch import collect
from worker.ingest.bots import BotWatch
from worker.ingest.flow import count_flow
from worker.ingest.in_flight import InFlight, Reached
from worker.settings import IngestSettings

SERVER_TIME_VALID_S = 2.0
"""How long the server's time is derived from our steady clock before the server is queried again."""
CLOCKS_DIFFER_MS = 1000
"""How far ids can be ahead of the known time before the server is queried for its time."""

log = structlog.get_logger("winback.ingest")


class Reader:
    """Reads the streams of one consumer. `streams`: the opened ones, once `open_streams` has found them."""

    def __init__(self, streams: Streams, consumer: str, settings: IngestSettings, reached: Reached) -> None:
        self.streams: Sequence[Stream] = ()
        self._all = streams
        self._consumer = consumer
        self._settings = settings
        self._block_ms = milliseconds(settings.read_timeout)
        self._reached = reached
        self._bots = BotWatch(settings.bot_events_per_minute)
        self._round_number = 0
        self._prefetched: Pending[list[StreamBatch]] | None = None
        self._asked_at_s, self._server_ahead_ms = -inf, 0.0
        self._ids_ahead = False
        """Whether ids with a time in the future were read."""

    @property
    def is_prefetching(self) -> bool:
        """Return whether a read is in progress."""
        return self._prefetched is not None

    def open_streams(self, *, check_groups: bool) -> None:
        """Open streams that other processes have registered. `check_groups`: check open streams again, too."""
        streams, opened = self._all.ensure(self._settings.streams), len(self.streams)
        created = [stream.create_group() for stream in streams[0 if check_groups else opened :]]
        if any(created):
            log.info("group_created", streams=sum(created))
        if len(streams) > max(1, opened):
            log.info("multiple_streams", streams=len(streams), in_settings=self._settings.streams)
        self.streams = streams
        # Including streams that are no longer read: their last id may be the highest possible one.
        self._put_back_ids()

    def read(self, *, prefetch: bool) -> InFlight:
        """Return the next batch; wait for entries unless a read is in progress.

        `prefetch`: if the streams have more entries, begin to read these while this process validates.
        """
        readings = self._next()
        if prefetch and self._has_more(readings):
            self._prefetched = self._all.send_read(self.streams, self._consumer, count=self._settings.batch)
        return self.validate(readings, one_read=True)

    def validate(self, readings: Sequence[StreamBatch], *, one_read: bool) -> InFlight:
        """Return entries as a batch. `one_read`: they come from one read; see `InFlight`."""
        if readings:
            self._reached("events_read")
        entries, latest_ms = _entries(readings), self._latest_ms(readings)
        batch = collect(entries, latest_ms)
        if one_read:
            # Redelivered entries were counted before.
            batch.changes = self._bots.mark(batch.changes, batch.minutes)
            batch.flow = count_flow(batch, entries, latest_ms)
        return InFlight(readings, one_read, batch)

    def drain(self) -> InFlight | None:
        """Wait for the read in progress, so that no reply is left in its connection; return its entries."""
        if self._prefetched is not None:
            with suppress(StateError):
                return self.validate(self._next(), one_read=True)
        return None

    def put_back_ids_if_ahead(self) -> None:
        """If ids were in the future, let empty streams give out current ids again. Only while nothing is prefetched."""
        if self._ids_ahead and not self.is_prefetching:
            self._put_back_ids()

    def _next(self) -> Sequence[StreamBatch]:
        if self._prefetched is not None:
            prefetched, self._prefetched = self._prefetched, None
            return prefetched.result()
        self._round_number += 1
        return self._all.read(
            self.streams, self._consumer, count=self._settings.batch, block_ms=self._block_ms, turn=self._round_number
        )

    def _has_more(self, readings: Sequence[StreamBatch]) -> bool:
        """Return whether a stream returned as many entries as requested."""
        return any(len(reading.entries) * len(self.streams) >= self._settings.batch for reading in readings)

    def _latest_ms(self, readings: Sequence[StreamBatch]) -> int | None:
        """Return the server's time (Unix ms) if an entry's arrival is in the future by our clock, else None."""
        last_ms = max((reading.entries[-1].arrival_ms for reading in readings if reading.entries), default=0)
        # Our own clock may be ahead, and the server's may have been put back since the last query.
        if last_ms <= min(time() * 1000, self._server_ms()) + CLOCKS_DIFFER_MS:
            return None
        self._ids_ahead = True
        return self._all.now_ms()

    def _server_ms(self) -> float:
        """Return the server's time (Unix ms) by our steady clock; the server is queried periodically."""
        now_s = monotonic()
        if now_s - self._asked_at_s >= SERVER_TIME_VALID_S:
            self._asked_at_s = now_s
            self._server_ahead_ms = self._all.now_ms() - now_s * 1000
        return now_s * 1000 + self._server_ahead_ms

    def _put_back_ids(self) -> None:
        """Let empty streams with ids in the future give out current ids again."""
        for stream, last in self._all.put_back(self.streams).items():
            log.warning("ids_put_back", stream=stream, last=last, reason="they were ahead of the server's clock")
            self._ids_ahead = False


def _entries(readings: Sequence[StreamBatch]) -> Sequence[StreamEntry]:
    if len(readings) == 1:
        return readings[0].entries
    return [entry for reading in readings for entry in reading.entries]
