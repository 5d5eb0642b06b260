"""The collector's access to Redis, opened when it is first needed: the collector also starts while Redis is down."""

from collections.abc import Callable, Sequence
from threading import Lock

from state import deployment
from state.collectors import Collectors, Figures
from state.errors import StateError
from state.event_writer import EventWriter
from state.visitors import Visitors
from worker.collector.reported_sources import ReportedSources
from worker.collector.visits import Placing
from worker.runtime import State


class StreamAccess:
    """Writes events and reports. Several threads can use it."""

    def __init__(self, open_state: Callable[[], State], ensure_streams: int) -> None:
        """`open_state` can raise StateError; it is called again then. `ensure_streams`: streams there are at least."""
        self._open_state = open_state
        self._streams = ensure_streams
        self._sources = ReportedSources()
        self._state: State | None = None
        self._lock = Lock()

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
        """Add events to the streams, those without a session when it is found.

        Raises:
            StateError: some of them may have been added.
        """
        state = self.open()
        sources = self._sources.batch()
        placing = Placing(Visitors(state.scripts, state.keys, state.secret, state.cipher), sources)
        EventWriter(state.scripts, state.keys).write(placing.events(events), self._streams)
        sources.keep()

    def sign(self, collector: str, until_ms: int, figures: Figures) -> int:
        """Report up to when all events are in a stream; return the server's time (Unix ms).

        Raises:
            StateError: the server doesn't answer.
        """
        state = self.open()
        return Collectors(state.scripts, state.keys).sign(collector, until_ms, figures)

    def heartbeat(self) -> None:
        """Report that the process runs, and read how many streams there are.

        Raises:
            StateError: the server doesn't answer.
        """
        state = self.open()
        state.heartbeat("collect")
        self._streams = state.streams.number()

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
