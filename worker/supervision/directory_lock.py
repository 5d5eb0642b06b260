"""A directory for one server at a time: two servers that append to one data file destroy it."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from worker.errors import StartError

LOCK_WITHIN_S: Final = 5.0
OWN_SERVER: Final = "set WINBACK_REDIS_URL to a server of your own (Redis 7.0 or Valkey 8, or newer)"
_POLL_S: Final = 0.02


class DirectoryLock:
    """Locks a directory through its server's log.

    The server inherits the lock with its standard output. So a server whose parent was killed holds it until it has
    ended. `acquire` waits for that; otherwise a start right after a kill would fail.
    """

    def __init__(self, log: Path) -> None:
        """`log`: The server's log. Its directory is locked."""
        self._log = log
        self._file: int | None = None

    def acquire(self) -> int:
        """Create the directory if it is missing, lock it, and return the log's descriptor. Already locked: no change.

        Raises:
            StartError: The directory can't be used, or another server uses it.
        """
        self._file = self._open() if self._file is None else self._file
        deadline = time.monotonic() + LOCK_WITHIN_S
        while not _locks(self._file):
            if time.monotonic() > deadline:
                raise StartError(
                    f"{self._log.parent}: another embedded Valkey is using it: stop that one (another `winback up`?)"
                )
            time.sleep(_POLL_S)
        return self._file

    def release(self) -> None:
        """Close the log, and with it the lock, unless a server still has it. Not locked: does nothing."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _open(self) -> int:
        directory = self._log.parent
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as e:
            raise StartError(
                f"{directory}: Valkey can't keep its data there ({e.strerror}): "
                f"make it writable, start in another directory, or {OWN_SERVER}"
            ) from e


def _locks(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
