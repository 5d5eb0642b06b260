"""Keeps accepted events on disk while Redis takes none, in their order. Bounded, and safe to kill at any time."""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import structlog

from state.cipher import Cipher
from state.errors import UnknownKeyError, UnreadableError
from worker.collector.spool_directory import SpoolDirectory, number_of
from worker.collector.spool_quarantine import Quarantine
from worker.collector.spool_records import Chunk, Record, is_torn, pack, unpack
from worker.errors import StartError

SEGMENT_BYTES = 1024 * 1024
"""A segment that has reached this size gets no more records. It is removed when all of it is delivered, so that after a
crash at most this much is delivered again."""
CHUNK_BYTES = 256 * 1024

log = structlog.stdlib.get_logger("winback.collector")


class SpoolFullError(Exception):
    """The spool can't keep more: the events were not accepted."""


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int
    oldest_ms: int
    """When the first event of it that isn't delivered was accepted."""
    delivered: int = 0
    """Bytes at its beginning that are delivered."""


class Spool:
    """Events in files. One thread appends and another one delivers."""

    def __init__(self, directory: SpoolDirectory, limit: int, cipher: Cipher) -> None:
        """`limit`: bytes that all segments can have together."""
        self._directory = directory
        self._limit = limit
        self._cipher = cipher
        self._lock = Lock()
        self._segments: deque[_Segment] = deque()
        self.size = 0
        """Bytes that all segments have together."""
        self.quarantined = Quarantine(directory.path)
        self._file: int | None = None
        self._next_number = 1
        self._owner = ""

    def open(self) -> str:
        """Lock the directory, drop a torn record at the end, and return the collector's id.

        Raises:
            StartError: the directory can't be used, or its events are encrypted under a key that isn't there.
        """
        self._owner = self._directory.open()
        try:
            self.quarantined.open()
            for path in self._directory.segments():
                self._next_number = number_of(path) + 1
                self._recover(path)
        except BaseException:
            self._directory.close()
            raise
        if self._segments:
            log.info("spool_taken_over", bytes=self.size, collector=self._owner)
        return self._owner

    def close(self) -> None:
        """Close all files and release the directory."""
        with self._lock:
            self._close_file()
        self._directory.close()

    @property
    def damaged(self) -> int:
        """Bytes of records that couldn't be read: those that are kept, and those since the start."""
        return self.quarantined.bytes

    @property
    def is_empty(self) -> bool:
        """Whether all events are delivered."""
        return not self._segments

    @property
    def has_room(self) -> bool:
        """Whether it takes events."""
        return self.size < self._limit

    def oldest_ms(self) -> int | None:
        """Return when the first event that isn't delivered was accepted (Unix ms); None if all are."""
        with self._lock:
            return self._segments[0].oldest_ms if self._segments else None

    def append(self, received_ms: int, events: Sequence[bytes]) -> None:
        """Keep events behind all others. When this returns they survive a crash of the machine.

        Raises:
            SpoolFullError: there is no room, or the disk refuses. Nothing is kept.
        """
        text = b"\n".join(events).decode()
        record = pack(received_ms, self._cipher.encrypt(self._owner, "spool", str(received_ms), text).encode())
        with self._lock:
            if self.size + len(record) > self._limit:
                raise SpoolFullError
            try:
                self._append(received_ms, record)
            except OSError as problem:
                log.error("spool_write_failed", error=problem.strerror)  # noqa: TRY400 - one line says it
                raise SpoolFullError from problem

    def next(self) -> Chunk | None:
        """Return the oldest events; None if there are none. Call `drop` when they are delivered."""
        with self._lock:
            if not self._segments:
                return None
            segment = self._segments[0]
            content = _content(segment)
        events: list[bytes] = []
        size, end, next_ms, unread = 0, segment.delivered, 0, b""
        for record in unpack(content, segment.delivered):
            if size >= CHUNK_BYTES:
                next_ms = record.received_ms
                break
            found = self._open_record(record)
            events += found or ()
            unread += content[end : record.start if found else record.end]
            size, end = size + len(record.payload), record.end
        else:
            unread, end = unread + content[end:], segment.size
        return Chunk(
            events, segment.path, end, next_ms, unread, missing=segment.size - len(content), first_ms=segment.oldest_ms
        )

    def quarantine(self, chunk: Chunk, events: Sequence[bytes]) -> None:
        """Keep events of a chunk that can't be placed. Call it before `drop`."""
        if events:
            sealed = self._cipher.encrypt(self._owner, "spool", str(chunk.first_ms), b"\n".join(events).decode())
            self.quarantined.add(chunk.path.name, pack(chunk.first_ms, sealed.encode()))

    def drop(self, chunk: Chunk) -> None:
        """Remove events that are delivered."""
        with self._lock:
            segment = self._segments[0]
            if segment.path != chunk.path:
                return
            self.quarantined.add(chunk.path.name, chunk.unread, chunk.missing)
            if chunk.next_ms:
                segment.delivered, segment.oldest_ms = chunk.end, chunk.next_ms
                return
            if chunk.end < segment.size:  # more was appended in the meantime
                first = next(unpack(_content(segment), chunk.end), None)
                segment.delivered = chunk.end
                segment.oldest_ms = first.received_ms if first else segment.oldest_ms
                return
            if len(self._segments) == 1:
                self._close_file()
            self._segments.popleft()
            self.size -= segment.size
            segment.path.unlink(missing_ok=True)

    def _append(self, received_ms: int, record: bytes) -> None:
        if self._file is None or self._segments[-1].size >= SEGMENT_BYTES:
            self._new_segment(received_ms)
        segment, file = self._segments[-1], self._file
        if file is None:
            raise OSError
        try:
            written = os.write(file, record)
            while written < len(record):
                written += os.write(file, record[written:])
            os.fdatasync(file)
        except OSError:
            # A record that was written in part, or that may not survive a crash, must not be delivered.
            self._close_file()
            with suppress(OSError):
                os.truncate(segment.path, segment.size)
            if not segment.size:
                self._segments.pop()
                segment.path.unlink(missing_ok=True)
            raise
        segment.size += len(record)
        self.size += len(record)

    def _new_segment(self, received_ms: int) -> None:
        self._close_file()
        path = self._directory.segment(self._next_number)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._next_number += 1
        self._segments.append(_Segment(path, 0, received_ms))
        self._directory.sync()

    def _recover(self, path: Path) -> None:
        content = path.read_bytes()
        records = list(unpack(content))
        size, end = len(content), records[-1].end if records else 0
        if is_torn(content, end):
            log.warning("spool_torn", file=path.name, bytes=size - end)
            os.truncate(path, end)
            content, size = content[:end], end
        if not records:
            self.quarantined.add(path.name, content)
            path.unlink()
            return
        try:
            self._decrypted(records[0])
        except UnknownKeyError as problem:
            raise StartError(f"collect.spool: {problem}") from None
        except (UnreadableError, UnicodeDecodeError):
            pass  # it is quarantined when it is its turn
        self._segments.append(_Segment(path, size, records[0].received_ms))
        self.size += size

    def _open_record(self, record: Record) -> list[bytes] | None:
        """Return the events of a record; None if it can't be decrypted, or only under a key that isn't there."""
        try:
            return self._decrypted(record).encode().split(b"\n")
        except (UnreadableError, UnicodeDecodeError):
            return None

    def _decrypted(self, record: Record) -> str:
        return self._cipher.decrypt(self._owner, "spool", str(record.received_ms), record.payload.decode())

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _content(segment: _Segment) -> bytes:
    """Return what was appended to a segment; nothing if an operator has removed the file."""
    try:
        return segment.path.read_bytes()[: segment.size]
    except FileNotFoundError:
        return b""
