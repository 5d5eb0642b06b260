"""The processor time and memory of processes, read from Linux."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
LEASH = "sh"
"""The shell that ends a role when its bench is gone; not part of the measurement."""


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended in the meantime
            head, _, rest = stat.read_text().rpartition(")")
            if head.partition("(")[2] != LEASH:
                children.setdefault(int(rest.split()[1]), []).append(int(stat.parent.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def processor_s(pid: int) -> float:
    """Return the processor time (s) of a process, its descendants and those it has waited for, in steps of 10 ms."""
    total = 0
    for member in family(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / TICKS_A_SECOND


def memory_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants; shared memory is counted once (PSS)."""
    total = 0
    for member in family(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def server_s(client: Any) -> float:  # noqa: ANN401 - of a server or of a node
    """Return the processor time of a server, without its forks that rewrite its files."""
    used = client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


@dataclass(slots=True)
class Used:
    """The time that passed during a measurement (s)."""

    clock_s: float = 0.0
    server_s: float = 0.0
    client_s: float = 0.0


@contextmanager
def measured(client: Any, *pids: int) -> Iterator[Used]:  # noqa: ANN401 - as above
    """Measure the clock, the server, and the processes `pids`."""
    used = Used()
    before = server_s(client), sum(map(processor_s, pids)), perf_counter()
    yield used
    used.clock_s = perf_counter() - before[2]
    used.server_s = server_s(client) - before[0]
    used.client_s = sum(map(processor_s, pids)) - before[1]
