"""Fault 32, continued: clients that are slow, idle, hostile or gone, next to the usual traffic."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.collector_hosts import KEY, memory_mb
from tests.faults.collector_scene import collector_fault, works_again
from tests.faults.fault import Fault, Scene
from tests.faults.web_shop import OK, WebShop

ROOT = Path(__file__).parents[2]
IDLE = 100
FOR_S = 8.0
GROWTH_MB = 160
"""The limit of all bodies together, and some room."""


def hostile_clients(scene: Scene) -> None:
    """Let all kinds of clients do their worst while shoppers arrive: others are served, and memory stays bounded."""
    system, shop = scene.system, scene.shop
    assert isinstance(shop, WebShop)
    pid, port = system.pid("collect"), shop.hosts[0].port
    before_mb = memory_mb(pid)
    idle = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(IDLE)]
    most_mb = 0.0
    try:
        with _all_clients(port):
            scene.open(40, over_s=FOR_S)
            ends = time.monotonic() + FOR_S
            while time.monotonic() < ends:
                most_mb = max(most_mb, memory_mb(pid))
                time.sleep(0.02)
    finally:
        for connection in idle:
            connection.close()
    works_again(scene)
    scene.expect(system.pid("collect") == pid, "a client ended the collector")
    scene.expect(most_mb - before_mb < GROWTH_MB, f"memory grew from {before_mb:.0f} MB to {most_mb:.0f} MB")
    # A busy machine can take longer than a client waits; then it sends again.
    scene.expect(shop.answers.keys() <= {OK, 0}, f"shoppers' requests were refused: {shop.answers}")
    scene.expect(shop.answers[OK] > 4 * shop.answers.get(0, 0), f"shoppers' requests had no answer: {shop.answers}")


@contextmanager
def _all_clients(port: int) -> Iterator[None]:
    """Run them in another process: this one has the proxies in front of the server."""
    command = [sys.executable, "-m", "tests.support.hostile_clients", str(port), KEY]
    with subprocess.Popen(command, cwd=ROOT) as clients:
        try:
            yield
        finally:
            clients.kill()


FAULTS: tuple[Fault, ...] = (
    collector_fault("32o", "slow, idle and hostile clients, 100 MB bodies, gzip bombs", hostile_clients, most_runs=5),
)
