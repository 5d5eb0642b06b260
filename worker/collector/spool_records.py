"""Records of the spool: events that were accepted together, with a length and a checksum in front.

A process that is killed while it appends leaves a torn record at the end of the file. The checksum shows it. No client
got a 200 for the events of a torn record. A record that the disk has damaged costs only itself: the next one is found
by its checksum.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

HEADER = struct.Struct(">IIQ")
LONGEST = 256 * 1024 * 1024
"""Bytes of a record; a header that says more is damaged."""
_TIME = re.compile(rb"(?=\x00\x00[\x01\x02])")
"""The beginning of a time between 2004 and 2074 in a header."""
_TIME_AT = 8


class Record(NamedTuple):
    """A record in a file."""

    received_ms: int
    """When its first event was accepted (Unix ms)."""
    payload: bytes
    start: int
    end: int
    """Where the next record begins."""


class Chunk(NamedTuple):
    """The oldest events of a spool."""

    events: Sequence[bytes]
    path: Path
    end: int
    """Bytes of its segment that are delivered with it."""
    next_ms: int
    """When the first event behind it in its segment was accepted; 0: there is none."""
    unread: bytes
    """The records between these that can't be read."""
    missing: int
    """Bytes that the segment should have in addition: its file was removed or cut."""
    first_ms: int
    """When its first event was accepted (Unix ms)."""


def pack(received_ms: int, payload: bytes) -> bytes:
    """Return a record as it is stored."""
    return HEADER.pack(len(payload), _checksum(received_ms, payload), received_ms) + payload


def unpack(content: bytes, start: int = 0) -> Iterator[Record]:
    """Yield the records from a position on, without those that are torn or damaged."""
    while (record := _at(content, start) or _next(content, start + 1)) is not None:
        yield record
        start = record.end


def is_torn(content: bytes, start: int) -> bool:
    """Return whether a record begins at a position that wasn't written to its end."""
    left = len(content) - start - HEADER.size
    return -HEADER.size < left < 0 or (left >= 0 and HEADER.unpack_from(content, start)[0] > left)


def _at(content: bytes, start: int) -> Record | None:
    """Return the record that begins at a position, unless it is torn or damaged."""
    if start + HEADER.size > len(content):
        return None
    length, checksum, received_ms = HEADER.unpack_from(content, start)
    end = start + HEADER.size + length
    if length > LONGEST or end > len(content):
        return None
    payload = content[start + HEADER.size : end]
    return Record(received_ms, payload, start, end) if checksum == _checksum(received_ms, payload) else None


def _next(content: bytes, start: int) -> Record | None:
    """Return the first readable record that begins at a position or behind it."""
    found = (_at(content, time.start() - _TIME_AT) for time in _TIME.finditer(content, start + _TIME_AT))
    return next((record for record in found if record is not None), None)


def _checksum(received_ms: int, payload: bytes) -> int:
    return crc32(payload, crc32(received_ms.to_bytes(8, "big")))
