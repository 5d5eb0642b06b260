"""Applied events on their way to a recording: ingest copies them in the step that removes them from their stream.

Copies are made only while a recorder asks for them. Their number and size are limited, they expire after ten minutes,
and entries without a copy are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from state.calls import recording as lua
from state.calls import webhooks as turns
from state.event_stream import entry_ms
from state.event_streams import Streams
from state.keys import DAY_MS, Keys, applied_of, recording_of
from state.scripts import Scripts
from state.server_errors import driver_errors

ASK_AHEAD_MS = 60_000
"""How long entries are copied after the recorder's last sign."""
REPORT_TTL_MS = 7 * DAY_MS
MOST_WAITING = 50_000
MOST_BYTES = 64 * 1024 * 1024
"""Of the events whose copies wait, in each stream."""
_ID, _EVENT = b"id", b"event"


class Copy(NamedTuple):
    """The copy of an applied entry."""

    id: bytes
    """Of the copy."""
    arrival_ms: int
    """When the event arrived (Unix ms of the server)."""
    event: bytes


class Counts(NamedTuple):
    """The copies of all streams."""

    waiting: int
    lost: int
    """Applied entries that never reach a file."""


@dataclass(frozen=True, slots=True)
class RecorderReport:
    """What a recorder did since its last report."""

    written: int = 0
    lost: int = 0
    """Of all recorders, since the first."""
    why: str = ""
    """Why it doesn't write; empty if it does."""
    bytes: int = 0
    stops: bool = False


class Copies:
    """The copies of all streams, for one recorder at a time."""

    def __init__(
        self, scripts: Scripts, keys: Keys, streams: Streams, limit: int = MOST_WAITING, limit_bytes: int = MOST_BYTES
    ) -> None:
        """Prepare. `limit`: how many copies of a stream can wait; `limit_bytes`: the size of their events."""
        self._scripts, self._keys, self._streams = scripts, keys, streams
        self._limit, self._limit_bytes = limit, limit_bytes

    def take_turn(self, recorder: str, turn_ms: int) -> bool:
        """Return whether this recorder has the turn from now on; it lasts for `turn_ms` unless it is renewed.

        Raises:
            StateError: The server doesn't answer.
        """
        return self._scripts.run(turns.webhook_turn(self._keys.recorder_turn, recorder, turn_ms))

    def sign(self, *, asks: bool) -> Counts:
        """Return the counts of all streams. `asks`: ask ingest for copies from now on.

        Raises:
            StateError: The server doesn't answer.
        """
        keys = [stream.key for stream in self._streams.all()]
        ahead_ms = ASK_AHEAD_MS if asks else 0
        found = self._scripts.run_many(
            [
                lua.recorder_sign(
                    recording_of(key), applied_of(key), ahead_ms, limit=self._limit, bytes_=self._limit_bytes
                )
                for key in keys
            ]
        )
        # After a loss of data, more can be recorded than copied.
        gone = (max(0, one.copied - one.recorded - one.waiting) + one.uncopied for one in found)
        return Counts(sum(one.waiting for one in found), sum(gone))

    def now_ms(self) -> int:
        """Return the server's clock (Unix ms).

        Raises:
            StateError: The server doesn't answer.
        """
        with driver_errors():
            seconds, micros = self._scripts.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def read(self, count: int) -> dict[str, list[Copy]]:
        """Return the first copies of each stream, by its key, without removing them.

        Raises:
            StateError: The server doesn't answer.
        """
        found = {}
        for stream in self._streams.all():
            with driver_errors():
                items = self._scripts.client.execute_command(
                    "XRANGE", recording_of(stream.key), "-", "+", "COUNT", count
                )
            if items:
                found[stream.key] = [_copy(entry, fields) for entry, fields in items]
        return found

    def remove(self, read: dict[str, list[Copy]]) -> None:
        """Remove copies that are in a file.

        Raises:
            StateError: Some can be left, and are read again.
        """
        for stream, copies in read.items():
            size = sum(len(one.event) for one in copies)
            ids = [one.id for one in copies]
            self._scripts.run(lua.recorded(recording_of(stream), applied_of(stream), size, *ids))

    def report(self, report: RecorderReport) -> None:
        """Record a report.

        Raises:
            StateError: The server doesn't answer.
        """
        call = lua.recorder_report(
            self._keys.recorder,
            ttl_ms=REPORT_TTL_MS,
            written=report.written,
            lost=report.lost,
            why=report.why,
            bytes_=report.bytes,
            stops=int(report.stops),
        )
        self._scripts.run(call)


def _copy(entry: bytes, fields: Sequence[bytes] | dict[bytes, bytes]) -> Copy:
    known = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    return Copy(entry, entry_ms(known.get(_ID, entry)), known.get(_EVENT, b""))
