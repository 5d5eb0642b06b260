"""The directory of a spool: locked for one collector, with its id and its segments."""

import fcntl
import os
import re
import secrets
from pathlib import Path

from worker.errors import StartError

_SEGMENT = re.compile(r"([0-9]{12})\.events")
_ID = re.compile(r"[0-9a-f]{16}")


class SpoolDirectory:
    """A directory that one collector at a time uses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> str:
        """Make the directory if it isn't there, lock it, and return the id of the collector that it belongs to.

        Raises:
            StartError: it can't be used, or another collector uses it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._id()
        except BlockingIOError:
            self.close()
            raise StartError(
                f"collect.spool: another collector uses {self.path}: give each its own directory"
            ) from None
        except OSError as problem:
            self.close()
            raise StartError(
                f"collect.spool: {self.path} can't be used ({problem.strerror}): make it writable, or set another"
            ) from problem

    def close(self) -> None:
        """Release the lock."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def segments(self) -> list[Path]:
        """Return the segments, the oldest first."""
        return sorted(path for path in self.path.iterdir() if _SEGMENT.fullmatch(path.name))

    def segment(self, number: int) -> Path:
        """Return the path of a segment."""
        return self.path / f"{number:012}.events"

    def sync(self) -> None:
        """Make sure that new and removed files survive a crash of the machine."""
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _id(self) -> str:
        file = self.path / "id"
        known = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
        if _ID.fullmatch(known):
            return known
        made = secrets.token_hex(8)
        new = self.path / "id.new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(made + "\n")
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
        self.sync()
        return made


def number_of(segment: Path) -> int:
    """Return the number of a segment."""
    return int(segment.stem)
