"""Faults 6 to 10: a server that crashes, is down, frozen or out of memory; beats; a deleted stream and group."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis import Redis, RedisError

from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.observed import ROLES
from tests.faults.proxy import Mode
from tests.faults.shop import STREAMS

WORKS_AGAIN_WITHIN_S = 30.0


def server_killed(scene: Scene) -> None:
    """Kill the server while everything runs, and restart it with its append-only file."""
    scene.open(30, over_s=2.0)
    scene.system.until(scene.system.open_outreaches, 30)
    scene.system.server.kill()
    scene.system.server.start()
    scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")


def torn(scene: Scene) -> None:
    """Kill the server during a write: its append-only file ends with a part of the last command."""
    system = scene.system
    scene.open(30, over_s=2.0)
    system.until(system.open_outreaches, 30)
    system.server.kill()
    files = sorted((system.directory / "valkey" / "appendonlydir").glob("*.incr.aof"))
    command = b"*4\r\n$4\r\nHSET\r\n$18\r\nwinback:deployment\r\n$4\r\nmode\r\n$4\r\nlive\r\n"
    with files[-1].open("ab") as file:
        file.write(command[: scene.random.randrange(1, len(command) - 1)])
    system.server.start()
    system.until(system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")


def away(mode: Mode, away_s: float) -> Callable[[Scene], None]:
    """Cut the roles off from the server (state and broker), while the shop keeps sending events."""

    def act(scene: Scene) -> None:
        scene.open(30, over_s=2.0)
        scene.system.until(scene.system.open_outreaches, 30)
        _both(scene, mode)
        before = len(scene.system.api.requests())
        _while(scene, away_s)
        # Only outreaches that had passed their fence can be in flight when the server goes down.
        in_flight = scene.system.settings.worker.concurrency
        requests = len(scene.system.api.requests()) - before
        scene.expect(requests <= in_flight, f"{requests} requests without a fence")
        _both(scene, "pass")
        scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")

    return act


def frozen(frozen_s: float) -> Callable[[Scene], None]:
    """Freeze the server itself, so that the shop can't send events either."""

    def act(scene: Scene) -> None:
        scene.open(30, over_s=2.0)
        scene.system.until(scene.system.open_outreaches, 30)
        pid = scene.system.server.pid
        assert pid is not None
        with _stopped(pid):
            _while(scene, frozen_s)
        scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")

    return act


def full(full_s: float) -> Callable[[Scene], None]:
    """Let the server refuse all writes that need memory."""

    def act(scene: Scene) -> None:
        redis = scene.system.redis
        scene.open(30, over_s=2.0)
        scene.system.until(scene.system.open_outreaches, 30)
        began = time.time()
        redis.config_set("maxmemory", 1)
        try:
            _while(scene, full_s)
            refused = _refusal(scene.system.server.url)
        finally:
            redis.config_set("maxmemory", 0)
        scene.expect("maxmemory" in refused, f"the shop got no error: {refused!r}")
        said = scene.system.said("full", since=began)
        scene.expect(said, "no role reported the server's lack of memory")
        scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")

    return act


def two_beats(scene: Scene) -> None:
    """Run two beats and two sweeps at once, all the time."""
    scene.open(60, over_s=3.0)


def beat_killed(scene: Scene) -> None:
    scene.open(30, over_s=2.0)
    scene.system.kill("beat")
    scene.system.until(scene.system.all_alive, WORKS_AGAIN_WITHIN_S)


def beat_frozen(scene: Scene) -> None:
    scene.open(30, over_s=2.0)
    with scene.system.frozen("beat"):
        _while(scene, 4.0)


def group_deleted(scene: Scene) -> None:
    """Delete the consumer groups while events wait in them."""
    scene.open(30, over_s=2.0)
    with scene.system.frozen("ingest"):
        for stream in STREAMS:
            scene.system.until(lambda of=stream: scene.system.redis.xlen(of) > 3, 10)  # type: ignore[misc]
            scene.system.redis.xgroup_destroy(stream, "ingest")
    scene.system.until(lambda: scene.system.said("group_missing") + scene.system.said("group_created"), 20)


def stream_deleted(scene: Scene) -> None:
    """Delete the streams while they are empty, because waiting events would be lost."""
    redis = scene.system.redis
    scene.open(30, over_s=2.0)

    script = "if redis.call('XLEN', KEYS[1]) == 0 then return redis.call('DEL', KEYS[1]) end return 0"
    for stream in STREAMS:
        scene.system.until(lambda of=stream: redis.eval(script, 1, of), 20)  # type: ignore[misc]


def _both(scene: Scene, mode: Mode) -> None:
    scene.system.to_state.set(mode)
    scene.system.to_broker.set(mode)


def _while(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


def _refusal(url: str) -> str:
    with Redis.from_url(url) as shop:
        try:
            shop.xadd("winback:events", {"event": "{}"})
        except RedisError as exc:
            return str(exc)
    return ""


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


FAULTS = (
    Fault("6", "Redis kill -9, started again with its append-only file", server_killed, OR_UNKNOWN),
    Fault("6b", "Redis kill -9 in the middle of a write: its file ends in half a command", torn, OR_UNKNOWN),
    Fault("7a", "Redis cut off from all roles for 8 s", away("cut", 8.0), OR_UNKNOWN),
    Fault("7b", "replies of Redis swallowed for 8 s", away("drop_replies", 8.0), OR_UNKNOWN),
    Fault("7c", "Redis frozen for 8 s", frozen(8.0), OR_UNKNOWN),
    Fault("7d", "Redis cut off from all roles for 60 s", away("cut", 60.0), OR_UNKNOWN, most_runs=2),
    Fault("7e", "Redis frozen for 60 s", frozen(60.0), OR_UNKNOWN, most_runs=2),
    Fault("8a", "Redis out of memory for 8 s", full(8.0), OR_UNKNOWN),
    Fault("8b", "Redis out of memory for 2 min", full(120.0), OR_UNKNOWN, most_runs=2),
    Fault("9a", "two beats, two sweeps", two_beats, roles=(*ROLES, "beat-2", "sweep-2")),
    Fault("9b", "beat killed", beat_killed),
    Fault("9c", "beat frozen for 4 s", beat_frozen),
    Fault("10a", "consumer group deleted", group_deleted),
    Fault("10b", "stream deleted", stream_deleted),
)
