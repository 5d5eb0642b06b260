"""Winback's own roles as processes, started with the commands that `winback up` uses."""

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.waiting import wait_for
from state import deployment
from worker import runtime
from worker.settings import load
from worker.supervision.child_process import ProcessLeash, end
from worker.supervision.roles import roles

SECRET = {"WINBACK_IDENTITY_SECRET": "bench-bench-bench-bench"}
LIVE = {
    **SECRET,
    "WINBACK_CONTACT__QUIET_HOURS": "off",
    "WINBACK_CONTACT__LAW": "off",
    "WINBACK_DELIVERY__MODE": "live",
    "WINBACK_DELIVERY__RATE": "off",
    "WINBACK_DELIVERY__PUBLIC_API_KEY": "public",
    "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A running role."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        assert self.process.poll() is None, f"{self.name} has ended: {self.log.read_text()[-2000:]}"
        return self.process.pid


class Roles:
    """Starts roles, and ends all of them at the end; the kernel does it if this process is killed."""

    def __init__(self, env: Mapping[str, str], directory: Path) -> None:
        self._env = dict(env)
        self._directory = directory
        self._leash = ProcessLeash()
        self.settings = load(self._env)
        self.state = runtime.open_state(self.settings)
        self.running: list[Running] = []

    def start(self, name: str, *more: str) -> Running:
        """Start a role's process, with `more` at the end of its command; it can still be starting on return."""
        role = next(role for role in roles(self.settings, self._env) if role.name == name)
        path = self._directory / f"{name}-{len(self.running)}.log"
        with path.open("wb") as log:
            process = self._leash.start([*role.argv, *more], stdout=log, env={**self._env, **role.env})
        self.running.append(started := Running(name, process, path))
        return started

    def is_ready(self, role: Running) -> bool:
        """Return whether this process has recorded a heartbeat."""
        beats = deployment.heartbeats(self.state.scripts, self.state.keys, role.name)
        return any(beat.process == f"{socket.gethostname()}:{role.pid}" for beat in beats)

    def wait(self) -> None:
        """Wait until all are ready, except Flower, which records nothing in Redis."""
        for role in self.running:
            if role.name != "flower":
                wait_for(lambda role=role: self.is_ready(role))  # type: ignore[misc]

    def close(self) -> None:
        """End all roles: those that create work first."""
        for role in reversed(self.running):
            end(role.process, 20)
        self._leash.close()
        self.state.client.close()


@contextmanager
def running(env: Mapping[str, str], directory: Path) -> Iterator[Roles]:
    found = Roles(env, directory)
    try:
        yield found
    finally:
        found.close()
