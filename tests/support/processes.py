"""Small child processes, and checks whether one is gone."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from worker.supervision.restart_policy import RestartPolicy
from worker.supervision.roles import Role

AT_ONCE = RestartPolicy(first=0.01, longest=0.05)
SLEEP = "import time; time.sleep(600)"
# Its own child ignores signals and holds the output open, as a pool's process can.
WITH_A_STUBBORN_CHILD = """
import os, signal, subprocess, sys, time
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('stubborn', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn])
print('pid', os.getpid(), 'pid', child.pid, flush=True)
time.sleep(600)
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Lines:
    """An output that keeps its lines."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def __call__(self, role: str, line: str) -> None:
        self.all.append((role, line))

    def of(self, role: str) -> list[str]:
        return [line for name, line in list(self.all) if name == role]


def python(name: str, code: str, *args: object, grace_s: float = 10.0) -> Role:
    return Role(name, (sys.executable, "-S", "-c", code, *map(str, args)), grace_s=grace_s)


def until(condition: Callable[[], object], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {within_s} s"
        time.sleep(0.01)


def processes() -> Iterator[tuple[int, int]]:
    """Return (id, process group) of all running processes except zombies.

    Small images have no ps, and macOS no /proc.
    """
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,pgid=,stat="], check=True, capture_output=True, text=True
        ).stdout
        for pid, group, state in (line.split() for line in listing.splitlines()):
            if not state.startswith("Z"):
                yield int(pid), int(group)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended in the meantime
            state, _parent, group, *_ = stat.read_text().rpartition(")")[2].split()
            if state != "Z":
                yield int(stat.parent.name), int(group)


def is_gone(pid: int) -> bool:
    """Return whether it is gone, or a zombie that hasn't been waited for."""
    return pid not in {number for number, _ in processes()}


def group_is_gone(pid: int) -> bool:
    return pid not in {group for _, group in processes()}
