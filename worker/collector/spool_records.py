"""Records of the spool: events that were accepted together, with a length and a checksum in front.

A process that is killed while it appends leaves a torn record at the end of the file. The checksum shows it. No client
got a 200 for the events of a torn record.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

HEADER = struct.Struct(">IIQ")
LONGEST = 256 * 1024 * 1024
"""Bytes of a record; a header that says more is damaged."""


class Record(NamedTuple):
    """A record in a file."""

    received_ms: int
    """When its first event was accepted (Unix ms)."""
    payload: bytes
    end: int
    """Where the next record begins."""


def pack(received_ms: int, payload: bytes) -> bytes:
    """Return a record as it is stored."""
    return HEADER.pack(len(payload), _checksum(received_ms, payload), received_ms) + payload


def unpack(content: bytes, start: int = 0) -> Iterator[Record]:
    """Yield the records from a position on, up to the first that is torn or damaged."""
    while start + HEADER.size <= len(content):
        length, checksum, received_ms = HEADER.unpack_from(content, start)
        end = start + HEADER.size + length
        if length > LONGEST or end > len(content):
            return
        payload = content[start + HEADER.size : end]
        if checksum != _checksum(received_ms, payload):
            return
        yield Record(received_ms, payload, end)
        start = end


def _checksum(received_ms: int, payload: bytes) -> int:
    return crc32(payload, crc32(received_ms.to_bytes(8, "big")))
