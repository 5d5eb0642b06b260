"""Recorded events: their times, and their copies for a replay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from detectors.sequence import epoch_ms
from tasks.delivery.payload import timestamp

_LAST_MS = 253_402_300_799_000  # 9999-12-31T23:59:59Z, the end of ISO 8601's four-digit years
_TAIL = 128 * 1024  # bytes; an event has 64 KiB at most
_MOMENT: TypeAdapter[datetime] = TypeAdapter(datetime)


class NotReplayableError(ValueError):
    """A line has no time at which to send it. The message gives the reason and none of the line's content."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Maps recorded times to times of the replay; all times are Unix ms."""

    first_ms: int
    """When the first event of the recording occurred."""
    start_ms: int
    """When it is sent."""
    speed: float

    def moment(self, recorded_ms: int) -> int:
        """Return the time in the replay for a recorded time."""
        moment_ms = self.start_ms + round((recorded_ms - self.first_ms) / self.speed)
        return max(0, min(moment_ms, _LAST_MS))


class RecordedEvent(NamedTuple):
    """A recorded event, unchanged."""

    event: dict[str, object]
    occurred_ms: int
    """Unix ms."""


def read(text: bytes) -> RecordedEvent:
    """Read an event.

    Raises:
        NotReplayableError: It isn't a JSON object, or has no time.
    """
    try:
        event = from_json(text)
    except ValueError:
        raise NotReplayableError("is not valid JSON") from None
    if not isinstance(event, dict):
        raise NotReplayableError("is not a JSON object")
    if event.get("occurred_at") is None:
        raise NotReplayableError("occurred_at: is missing; a replay needs it to know when to send the event")
    recorded_ms = _read_moment(event["occurred_at"])
    if recorded_ms is None:
        raise NotReplayableError("occurred_at: is not a date and time (2025-05-13T22:40:00Z)")
    return RecordedEvent(event, recorded_ms)


def retimed(event: Mapping[str, object], recorded_ms: int, schedule: Schedule) -> bytes:
    """Return an event as JSON, moved to the replay's time: occurred_at, and expires_at if there is one."""
    moved = {**event, "occurred_at": timestamp(schedule.moment(recorded_ms))}
    expires_ms = _read_moment(event["expires_at"]) if event.get("expires_at") is not None else None
    if expires_ms is not None:
        moved["expires_at"] = timestamp(schedule.moment(expires_ms))
    return to_json(moved)


def last_moment(file: BinaryIO) -> int | None:
    """Return when the last event of a file occurred (Unix ms); None if unknown. Keeps the file's position."""
    if not file.seekable():
        return None
    position = file.tell()
    try:
        file.seek(max(position, file.seek(0, 2) - _TAIL))
        lines = file.read().strip().splitlines()
        return read(lines[-1])[1] if lines else None
    except NotReplayableError:
        return None
    finally:
        file.seek(position)


def _read_moment(value: object) -> int | None:
    try:
        return epoch_ms(_MOMENT.validate_python(value))
    except (ValidationError, OverflowError):
        return None
