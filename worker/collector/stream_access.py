"""The collector's access to Redis, opened when it is first needed: the collector also starts while Redis is down."""

from collections.abc import Callable, Sequence
from threading import Lock

from state import deployment
from state.collectors import Collectors, Figures
from state.deliveries import Deliveries, DeliveryNote
from state.errors import StateError
from state.event_writer import EventWriter
from state.privacy_requests import MOST_OPEN, PrivacyRequests
from state.visitors import Visitors
from worker.collector.privacy import MARK, Filer
from worker.collector.reported_sources import ReportedSources
from worker.collector.visits import Placing
from worker.runtime import State


class StreamAccess:
    """Writes events and reports. Several threads can use it."""

    def __init__(self, open_state: Callable[[], State], ensure_streams: int, shops: Sequence[str] = ()) -> None:
        """Prepare.

        Args:
            open_state: Can raise StateError; it is called again then.
            ensure_streams: Streams there are at least.
            shops: Within which ids count; empty if there are fewer than two.
        """
        self._open_state = open_state
        self._streams = ensure_streams
        self._shops = shops
        self._sources = ReportedSources()
        self._state: State | None = None
        self._lock = Lock()
        self.has_room_for_requests = True
        """Whether privacy requests can be kept, as far as is known."""

    def open(self) -> State:
        """Return the state; the first time, check that this process fits the data.

        Raises:
            StateError: the server doesn't answer, or doesn't fit.
        """
        with self._lock:
            if self._state is None:
                state = self._open_state()
                deployment.require_schema(state.scripts, state.keys)
                self._streams = state.streams.number()
                self._state = state
            return self._state

    def write(self, events: Sequence[bytes]) -> None:
        """Add events to the streams, those without a session when it is found. Then keep the privacy requests.

        So all events that were accepted before a request are in a stream when it is carried out.

        Raises:
            StateError: some of them may have been added.
        """
        state = self.open()
        visitors = Visitors(state.scripts, state.keys, state.secret, state.cipher)
        filed = [line for line in events if line.startswith(MARK)]
        sources = self._sources.batch()
        placing = Placing(visitors, sources, self._shops)
        placed = placing.events([line for line in events if not line.startswith(MARK)] if filed else events)
        EventWriter(state.scripts, state.keys).write(placed, self._streams)
        sources.keep()
        if filed:
            requests = PrivacyRequests(state.scripts, state.keys, state.cipher, state.secret)
            Filer(requests, visitors).file(filed)

    def sign(self, collector: str, until_ms: int, figures: Figures) -> int:
        """Report up to when all events are in a stream; return the server's time (Unix ms).

        Raises:
            StateError: the server doesn't answer.
        """
        state = self.open()
        return Collectors(state.scripts, state.keys).sign(collector, until_ms, figures)

    def note(self, notes: Sequence[DeliveryNote]) -> None:
        """Report what was delivered.

        Raises:
            StateError: the server doesn't answer.
        """
        state = self.open()
        Deliveries(state.scripts, state.keys).note(notes)

    def heartbeat(self) -> None:
        """Report that the process runs. Read how many streams there are, and whether privacy requests can be kept.

        Raises:
            StateError: the server doesn't answer.
        """
        state = self.open()
        state.heartbeat("collect")
        for key_id in state.cipher.ids[:1]:
            deployment.report_key(state.scripts, state.keys, key_id)
        self._streams = state.streams.number()
        self.has_room_for_requests = PrivacyRequests(state.scripts, state.keys).count() < MOST_OPEN

    def remove(self, collector: str) -> bool:
        """Remove the collector's report; return whether that was possible."""
        try:
            state = self.open()
            Collectors(state.scripts, state.keys).remove(collector)
        except StateError:
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        if self._state is not None:
            self._state.client.close()
