"""Records that a collector can't read or place, kept next to its spool while the others are delivered.

The file holds records as the spool does, encrypted as they were. So a record whose key is missing can be delivered
later: give the key back, and rename the file to a segment.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import structlog

FILE = "quarantined.records"
LIMIT_BYTES = 64 * 1024 * 1024
"""A file of this size takes no more records: they are only counted."""

log = structlog.stdlib.get_logger("winback.collector")


class Quarantine:
    """The file of a spool's unreadable records."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.bytes = 0
        """Bytes that are kept from earlier, or were quarantined or lost since the start."""
        self.earlier_bytes = 0
        """Bytes that were kept at the start."""
        self._changed_s: float | None = None

    def open(self) -> None:
        """Find the bytes that were kept before the start."""
        with suppress(OSError):
            found = (self._directory / FILE).stat()
            if found.st_size:
                self.bytes = self.earlier_bytes = found.st_size
                self._changed_s = found.st_mtime

    def earlier_age_ms(self) -> int | None:
        """Return how long ago the last record before the start was quarantined; None if none is kept."""
        if self._changed_s is None:
            return None
        return max(0, round((time.time() - self._changed_s) * 1000))

    def add(self, source: str, content: bytes, missing: int = 0) -> None:
        """Keep bytes of a segment that survive a crash, or count them if the disk refuses.

        Args:
            source: The name of the segment.
            content: The records as they are stored.
            missing: Bytes that the segment should have in addition.
        """
        size = len(content) + missing
        if not size:
            return
        self.bytes += size
        kept = FILE if content and self._keep(content) else None
        log.error("spool_damaged", file=source, bytes=size, kept_in=kept)

    def _keep(self, content: bytes) -> bool:
        path = self._directory / FILE
        with suppress(OSError):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                before = os.fstat(file).st_size
                if before + len(content) > LIMIT_BYTES:
                    return False
                if os.write(file, content) < len(content):
                    os.truncate(file, before)
                    return False
                os.fsync(file)
            finally:
                os.close(file)
            return True
        return False
