"""Reads entries from all streams and validates them. At most one read is under way while a batch is applied."""

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
"""For how long the server's time is derived from our steady clock before the server is asked again."""
CLOCKS_DIFFER_MS = 1000
"""By how much ids may be ahead of the known time before the server is asked for its time."""

log = structlog.get_logger("winback.ingest")


class Reader:
    """The streams of one consumer. `streams`: those that it reads, once `open_streams` has found them."""

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
        """Whether ids were read that lie in the future."""

    @property
    def is_prefetching(self) -> bool:
        """Whether a read is under way."""
        return self._prefetched is not None

    def open_streams(self, *, check_groups: bool) -> None:
        """Look for streams that other processes have registered. `check_groups`: also of streams that are open."""
        streams, opened = self._all.ensure(self._settings.streams), len(self.streams)
        created = [stream.create_group() for stream in streams[0 if check_groups else opened :]]
        if any(created):
            log.info("group_created", streams=sum(created))
        if len(streams) > max(1, opened):
            log.info("multiple_streams", streams=len(streams), in_settings=self._settings.streams)
        self.streams = streams
        # Also one that nothing is read from any more: its last id may be the highest there is.
        self._put_back_ids()

    def read(self, *, prefetch: bool) -> InFlight:
        """Return the next batch; wait for entries unless a read is under way.

        `prefetch`: if the streams have more entries, begin to read these while this process validates.
        """
        readings = self._next()
        if prefetch and self._has_more(readings):
            self._prefetched = self._all.send_read(self.streams, self._consumer, count=self._settings.batch)
        return self.validate(readings, one_read=True)

    def validate(self, readings: Sequence[StreamBatch], *, one_read: bool) -> InFlight:
        """Return entries as a batch. `one_read`: they are what one read has returned; see `InFlight`."""
        if readings:
            self._reached("events_read")
        entries, latest_ms = _entries(readings), self._latest_ms(readings)
        batch = collect(entries, latest_ms)
        if one_read:
            # What is delivered again was counted before.
            batch.changes = self._bots.mark(batch.changes, batch.minutes)
            batch.flow = count_flow(batch, entries, latest_ms)
        return InFlight(readings, one_read, batch)

    def drain(self) -> InFlight | None:
        """Wait for the read that is under way, so that no reply is left in its connection; return what it read."""
        if self._prefetched is not None:
            with suppress(StateError):
                return self.validate(self._next(), one_read=True)
        return None

    def put_back_ids_if_ahead(self) -> None:
        """While nothing is prefetched: if ids lay in the future, have streams that are empty now give out today's."""
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
        """Whether a stream gave as many entries as it was asked for."""
        return any(len(reading.entries) * len(self.streams) >= self._settings.batch for reading in readings)

    def _latest_ms(self, readings: Sequence[StreamBatch]) -> int | None:
        """Return the server's time (Unix ms) if an entry seems to have arrived after now by our clock, else None."""
        last_ms = max((reading.entries[-1].arrival_ms for reading in readings if reading.entries), default=0)
        # Our own clock may be ahead, and the server's may have been put back since it was asked.
        if last_ms <= min(time() * 1000, self._server_ms()) + CLOCKS_DIFFER_MS:
            return None
        self._ids_ahead = True
        return self._all.now_ms()

    def _server_ms(self) -> float:
        """Return the server's time (Unix ms) by our steady clock; the server is asked periodically."""
        now_s = monotonic()
        if now_s - self._asked_at_s >= SERVER_TIME_VALID_S:
            self._asked_at_s = now_s
            self._server_ahead_ms = self._all.now_ms() - now_s * 1000
        return now_s * 1000 + self._server_ahead_ms

    def _put_back_ids(self) -> None:
        """Have streams whose ids lie in the future, and that are empty, give out ids of now again."""
        for stream, last in self._all.put_back(self.streams).items():
            log.warning("ids_put_back", stream=stream, last=last, reason="they were ahead of the server's clock")
            self._ids_ahead = False


def _entries(readings: Sequence[StreamBatch]) -> Sequence[StreamEntry]:
    if len(readings) == 1:
        return readings[0].entries
    return [entry for reading in readings for entry in reading.entries]
