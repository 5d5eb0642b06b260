"""Fault 25: a server that accepts no writes or is missing, for longer than the pauses between restarts."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import RedisError

from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.observed import ROLES
from tests.faults.servers import WORKS_AGAIN_WITHIN_S, _while
from tests.faults.system import System
from worker.supervision.restart_policy import RestartPolicy

IMPATIENT = RestartPolicy(first=0.2, longest=1.0, longest_wait=1.0, brief=5.0)
"""Five crashes of one role within a minute, which take about eight seconds."""
LONG_S = 12.0
KILL_EVERY_S = 4.0
ALARMS = {"WINBACK_ALARMS__CHECK_INTERVAL": "500ms"}
Broken = Callable[[System], AbstractContextManager[None]]


@contextmanager
def full_disk(system: System) -> Iterator[None]:
    """Let every write to the append-only file fail with ENOSPC: its next part is a link to /dev/full."""
    redis, files = system.redis, system.directory / "valkey" / "appendonlydir"
    system.until(lambda: not redis.info("persistence")["aof_rewrite_in_progress"], 10)
    link = files / f"appendonly.aof.{1 + max(map(_part, files.glob('*.incr.aof')))}.incr.aof"
    link.symlink_to("/dev/full")
    redis.bgrewriteaof()
    system.until(lambda: _writes_fail(redis), 10, "a refusal")
    try:
        yield
    finally:
        link.unlink()
        system.until(lambda: _rewrites(redis), 10, "another file")
        system.until(lambda: not _writes_fail(redis), 10, "the end of the refusals")


@contextmanager
def demoted(system: System) -> Iterator[None]:
    """Make the server a replica of one that doesn't exist."""
    system.redis.replicaof("127.0.0.1", 1)
    try:
        yield
    finally:
        system.redis.replicaof("NO", "ONE")


@contextmanager
def down(system: System) -> Iterator[None]:
    """Kill the server; restart it at the end."""
    system.server.kill()
    try:
        yield
    finally:
        system.server.start()


def refuses(broken: Broken, for_s: float = LONG_S, *, killing: bool = False) -> Callable[[Scene], None]:
    """Break the server; while it is broken, kill a role every few seconds."""

    def act(scene: Scene) -> None:
        scene.open(30, over_s=2.0)
        scene.system.until(scene.system.open_outreaches, 30)
        began = time.time()
        with broken(scene.system):
            before = len(scene.system.api.requests())
            ends = time.monotonic() + for_s
            while (left := ends - time.monotonic()) > 0:
                if killing:
                    scene.system.kill(scene.random.choice(ROLES))
                _while(scene, min(left, KILL_EVERY_S))
            requests = len(scene.system.api.requests()) - before
        _recovers(scene, began, requests)

    return act


def absent_at_start(scene: Scene) -> None:
    """Start all roles without a server."""
    system = scene.system
    scene.open(30, over_s=2.0)
    system.until(system.open_outreaches, 30)
    system.supervisor.stop()
    began = time.time()
    with down(system):
        before = len(system.api.requests())
        system.supervise()
        _while(scene, LONG_S)
        requests = len(system.api.requests()) - before
    _recovers(scene, began, requests)


def _recovers(scene: Scene, began: float, requests: int) -> None:
    """Expect no contact without a fence, an alarm, and roles that recover automatically."""
    # Outreaches that had passed their fence can still be in flight when the fault begins.
    in_flight = scene.system.settings.worker.concurrency
    scene.expect(requests <= in_flight, f"{requests} requests without a fence")
    scene.expect(scene.system.said('"event": "alarm"', since=began), "I6: no alarm")
    scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")


def _part(path: Path) -> int:
    return int(path.name.split(".")[2])


def _writes_fail(redis: Any) -> bool:  # noqa: ANN401 - a client
    return bool(redis.info("persistence")["aof_last_write_status"] != "ok")


def _rewrites(redis: Any) -> bool:  # noqa: ANN401 - a client
    with suppress(RedisError):  # one can be in flight
        return bool(redis.bgrewriteaof())
    return False


FAULTS = (
    Fault("25a", "disk full under the append-only file", refuses(full_disk), OR_UNKNOWN, ALARMS, pace=IMPATIENT),
    Fault("25b", "server demoted to a replica", refuses(demoted), OR_UNKNOWN, ALARMS, pace=IMPATIENT),
    Fault("25c", "server absent at the start of all roles", absent_at_start, OR_UNKNOWN, ALARMS, pace=IMPATIENT),
    Fault("25d", "server down while roles are killed", refuses(down, killing=True), OR_UNKNOWN, ALARMS, pace=IMPATIENT),
    Fault(
        "25e",
        "server demoted for 5 min while roles are killed",
        refuses(demoted, 300.0, killing=True),
        OR_UNKNOWN,
        ALARMS,
        pace=IMPATIENT,
        most_runs=1,
    ),
)
