"""Partitions: which one a session or an outreach is in. The id of an outreach begins with its partition."""

import re
from zlib import crc32

PARTITIONS = 64
OUTREACH_ID = re.compile(r"([0-9]{2})-[0-9a-f]{16}")


def partition_of(session_id: str) -> int:
    """Return the partition (0 to 63) of a session."""
    return crc32(session_id.encode()) % PARTITIONS


def is_outreach_id(text: object) -> bool:
    """Return whether this is an outreach's id: two digits of its partition, a dash, 16 hexadecimal digits."""
    match = OUTREACH_ID.fullmatch(text) if isinstance(text, str) else None
    return match is not None and int(match[1]) < PARTITIONS


def partition_of_outreach(outreach_id: str) -> int:
    """Return the partition in an outreach's id.

    Raises:
        ValueError: It isn't an outreach's id.
    """
    if not is_outreach_id(outreach_id):
        raise ValueError(f"{outreach_id[:32]!r} is not the id of an outreach")
    return int(outreach_id[:2])
