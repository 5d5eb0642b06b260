"""Fault 32: collectors that are killed, frozen, cut off, full or damaged, while shoppers' events come over HTTP."""

import os
import signal
import time

from tests.faults.fault import Fault, Scene
from tests.faults.observed import ROLES
from tests.faults.web_shop import WebShop

ONE = (*ROLES, "collect")
TWO = (*ONE, "collect-2")
KILLED_FOR_S = 6.0


def killed(scene: Scene) -> None:
    """Kill the collector repeatedly under load; its supervisor restarts it, and clients repeat unanswered events."""
    system = scene.system
    scene.open(40, over_s=KILLED_FOR_S)
    ends = time.monotonic() + KILLED_FOR_S
    while time.monotonic() < ends:
        system.until(system.collectors.all_answer, 30, "an answer of the collector")
        _pass(scene, scene.random.uniform(0.1, 1.0))
        os.kill(system.pid("collect"), signal.SIGKILL)
    system.until(system.collectors.all_answer, 30, "an answer of the collector")


def _pass(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


FAULTS = (Fault("32a", "collector killed with -9 again and again under load", killed, roles=ONE, opens=WebShop),)
