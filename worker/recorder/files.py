"""The files of a recording: each write is a complete gzip member, on the disk before it returns."""

import fcntl
import gzip
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from worker.errors import StartError

_NAME = re.compile(r"winback-([0-9]{8}T[0-9]{6})Z\.jsonl\.gz")
_FORM = "%Y%m%dT%H%M%S"
_FILES = 20
"""The size of one file is at most this part of the limit."""
_LEVEL = 6


class RecordingFiles:
    """The directory of one recorder, which is locked. Times are Unix ms of the server, not of this machine."""

    def __init__(
        self,
        directory: Path,
        *,
        limit: int,
        rotate_after_ms: int,
        keep_ms: int,
        host_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """Prepare. `limit`: bytes of all files together; `host_ms`: the clock of this machine."""
        self._directory, self._limit = directory, limit
        self._rotate_after_ms, self._keep_ms, self._host_ms = rotate_after_ms, keep_ms, host_ms
        self._file: int | None = None
        self._lock: int | None = None
        self._path = Path()
        self._started_ms = self._size = 0

    def open(self) -> None:
        """Make the directory if it isn't there, and lock it.

        Raises:
            StartError: It can't be used, or another recorder uses it.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StartError(
                f"record.directory: another recorder uses {self._directory}: give each its own directory"
            ) from None
        except OSError as problem:
            self.close()
            raise StartError(
                f"record.directory: {self._directory} can't be used ({problem.strerror}): "
                "make it writable, or set another"
            ) from problem

    def write(self, lines: bytes, now_ms: int) -> None:
        """Write lines to the current file, or to a new one if that one is complete.

        Raises:
            OSError: Nothing of them is in a file; write them again later.
        """
        member = gzip.compress(lines, _LEVEL, mtime=0)
        if self._is_complete(now_ms, len(member)):
            self.end_file()
        self._make_room(len(member), now_ms)
        if self._file is None:
            self._begin_file(now_ms)
        self._append(member)

    def end_file(self) -> None:
        """End the current file. The next write begins another one."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def close(self) -> None:
        """End the current file and unlock the directory."""
        self.end_file()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    @property
    def size(self) -> int:
        """Bytes of all files; 0 if the directory can't be read."""
        try:
            return sum(self._sizes().values())
        except OSError:
            return 0

    def _is_complete(self, now_ms: int, more: int) -> bool:
        if self._file is None or not os.fstat(self._file).st_nlink:
            return True  # the operator removed it
        # A clock that was put back ends a file, too: its name would lie in the future.
        is_over = not 0 <= now_ms - self._started_ms < self._rotate_after_ms
        return is_over or self._size + more > self._limit // _FILES

    def _begin_file(self, now_ms: int) -> None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now_ms // 1000)
        while True:
            self._path = self._directory / f"winback-{moment:{_FORM}}Z.jsonl.gz"
            try:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
                break
            except FileExistsError:
                moment += timedelta(seconds=1)
        self._started_ms, self._size = now_ms, 0
        _sync(self._directory)

    def _append(self, member: bytes) -> None:
        file = self._file
        if file is None:
            raise AssertionError("a file was begun")
        try:
            view = memoryview(member)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
        except OSError:
            # Remove a part that was written. If that fails, too, the next file begins with these lines.
            try:
                os.ftruncate(file, self._size)
                if not self._size:
                    self._path.unlink()
            except OSError:
                pass
            self.end_file()
            raise
        self._size += len(member)

    def _make_room(self, more: int, now_ms: int) -> None:
        sizes = self._sizes()
        total = sum(sizes.values()) + more
        # One clock that jumps ahead must not remove all recordings.
        surely_ms = min(now_ms, round(self._host_ms()))
        for path in sorted(sizes):
            if self._file is not None and path == self._path:
                continue
            if total <= self._limit and surely_ms - _started_ms(path) <= self._keep_ms + self._rotate_after_ms:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]

    def _sizes(self) -> dict[Path, int]:
        found = {}
        for entry in os.scandir(self._directory):
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                found[self._directory / entry.name] = entry.stat().st_size
        return found


def _started_ms(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise AssertionError("only recordings are listed")
    try:
        return round(datetime.strptime(found[1], _FORM).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return 0


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
