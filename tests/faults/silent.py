"""Fault 31: silent stalls. The roles record heartbeats, but their work stops."""

import time

from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.settings import PROCESSES
from tests.faults.silence import LONGEST_MS, alarms_in

_LONGEST_S = LONGEST_MS / 1000 + 10
"""Including the time that a busy machine needs to start and to check."""


def pool_frozen(scene: Scene) -> None:
    """Freeze the processes that make the attempts, but not the one that records their heartbeats."""
    system = scene.system
    workers = system.pool("recover")
    scene.expect(workers, "fault: the recovering worker has no pool of processes")
    for pid in workers:
        system.freeze(pid)
    began = time.time()
    try:
        scene.open()
        system.until(lambda: _alarm(scene, "attempts", began), _LONGEST_S, "an alarm for attempts (I6)")
    finally:
        for pid in workers:
            system.thaw(pid)


def _alarm(scene: Scene, about: str, since: float) -> bool:
    return any(alarm.about == about for alarm in alarms_in([line for line in scene.system.log if line[0] >= since]))


FAULTS = (Fault("31a", "the worker's pool frozen, its parent alive", pool_frozen, OR_UNKNOWN, PROCESSES, most_runs=20),)
