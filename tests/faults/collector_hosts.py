"""The collectors of a system: a port, a spool and a way to Redis for each."""

import os
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.proxy import Proxy
from tests.support.cli_support import dead_port

COLLECTOR = "collect"
KEY = "key-of-the-faults"
SECRET = "secret-of-the-faults"
EXTRA = f"{COLLECTOR}-extra"
"""A collector that isn't one of the roles; see `System.another`."""
_COMMON = {
    "WINBACK_COLLECT__SERVER_KEYS": KEY,
    "WINBACK_COLLECT__YUNO_SECRETS": SECRET,
}


@dataclass(frozen=True, slots=True)
class Host:
    """Where one collector runs."""

    port: int
    spool: Path
    to_state: Proxy
    """Between it and Redis."""

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "WINBACK_COLLECT__PORT": str(self.port),
            "WINBACK_COLLECT__SPOOL": str(self.spool),
            "WINBACK_REDIS_URL": f"redis://127.0.0.1:{self.to_state.port}/0",
        }

    def segments(self) -> list[Path]:
        """Return the files of the spool, the oldest first."""
        return sorted(self.spool.glob("*.events"))

    def answers(self) -> bool:
        """Return whether the collector listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class CollectorHosts:
    """All collectors of a system, by the names of their roles."""

    def __init__(self, directory: Path, redis_port: int, names: tuple[str, ...]) -> None:
        self._stack = ExitStack()
        self._directory = directory
        self._redis_port = redis_port
        self._names = [name for name in names if name.partition("-")[0] == COLLECTOR]
        self.env: Mapping[str, str] = _COMMON if self._names else {}
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Self:
        for name in (*self._names, *([EXTRA] if self._names else [])):
            proxy = self._stack.enter_context(Proxy(self._redis_port))
            self.hosts[name] = Host(dead_port(), self._directory / f"spool-{name}", proxy)
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    @property
    def running(self) -> list[Host]:
        """The hosts of the roles."""
        return [self.hosts[name] for name in self._names]

    def env_of(self, name: str) -> Mapping[str, str]:
        """Return the settings of one role; none if it isn't a collector."""
        return self.hosts[name].env if name in self.hosts else {}

    def all_answer(self) -> bool:
        """Return whether all of them listen."""
        return all(host.answers() for host in self.running)

    def all_delivered(self) -> bool:
        """Return whether no spool holds an event."""
        return not any(host.segments() for host in self.running)


@contextmanager
def full_disk(pid: int, most: int) -> Iterator[None]:
    """Let a process write no file beyond this size (bytes), which looks like a full disk."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Freeze a process for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def memory_mb(pid: int) -> float:
    """Return the memory that a process uses now (MB)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
