"""Writes many events to the streams in one round trip for each server."""

from collections.abc import Sequence
from zlib import crc32

from pydantic_core import from_json

from state.driver import Command
from state.event_stream import FIELD
from state.keys import Keys
from state.scripts import Scripts, unwrap
from state.server_errors import driver_errors


class EventWriter:
    """Adds events, each one JSON object, exactly as any producer's own XADD does."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def write(self, events: Sequence[bytes], streams: int) -> None:
        """Add events, in their order. `streams`: how many streams there are.

        Raises:
            StateError: some of them may have been added. Adding them again does no harm.
        """
        if not events:
            return
        replies = self._scripts.send([self._command(event, streams) for event in events]).result()
        with driver_errors():
            for reply in replies:
                unwrap(reply)

    def _command(self, event: bytes, streams: int) -> Command:
        number = stream_of(event, streams) if streams > 1 else 0
        return ("XADD", self._keys.events_of(number), "*", FIELD, event)


def stream_of(event: bytes, streams: int) -> int:
    """Return the stream of an event: one session's events are applied at the least cost if they are in one stream."""
    try:
        document = from_json(event)
    except ValueError:
        return 0
    session = document.get("session_id") if isinstance(document, dict) else None
    return crc32(str(session or "").encode(errors="replace")) % streams
