"""The memory of every part over time."""

import time
from collections import defaultdict
from pathlib import Path

from tests.faults.system import System


def resident(groups: dict[str, int]) -> dict[str, int]:
    """Return the memory (bytes) that the processes of each process group share (PSS)."""
    found: dict[str, int] = defaultdict(int)
    names = {pid: name for name, pid in groups.items()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            group = int((process / "stat").read_text().rpartition(")")[2].split()[2])
            if group in names:
                rollup = (process / "smaps_rollup").read_text()
                found[names[group]] += 1024 * int(rollup.partition("\nPss:")[2].split()[0])
        except (OSError, IndexError, ValueError):
            continue  # it has just ended
    return found


class Samples:
    """Periodic samples of the memory of every role and the server."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.taken: list[tuple[float, dict[str, int]]] = []

    def take(self) -> None:
        """Take one sample."""
        found = resident(self._system.supervisor.pids())
        info = self._system.redis.info("memory")
        self.taken.append((time.monotonic(), {**found, "redis": info["used_memory"]}))

    def quarters(self, name: str) -> list[int]:
        """Return the maximum of a part in each quarter of the time (bytes)."""
        values = [sample.get(name, 0) for _, sample in self.taken]
        size = max(1, len(values) // 4)
        return [max(values[start : start + size]) for start in range(0, 4 * size, size) if values[start : start + size]]
