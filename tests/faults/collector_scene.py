"""What the faults of collectors share: their shop, the time in which a collector holds events, and its end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from state.collectors import HOLDS_MS
from tests.faults.collector_hosts import Host
from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.ledger import Request
from tests.faults.observed import ROLES
from tests.faults.servers import WORKS_AGAIN_WITHIN_S
from tests.faults.shop import THRESHOLD_S
from tests.faults.system import System
from tests.faults.web_shop import WebShop

ONE = (*ROLES, "collect")
TWO = (*ONE, "collect-2")
MOMENT_S = 0.1
SLACK_S = 1.5
"""What may pass between a dispatch and its request."""


def collector_fault(number: str, title: str, act: Callable[[Scene], None], **more: object) -> Fault:
    """Return a fault of a shop that speaks HTTP. `more`: fields that differ."""
    usual = {"allowed": OR_UNKNOWN, "roles": ONE, "opens": WebShop}
    return Fault(number, title, act, **{**usual, **more})  # type: ignore[arg-type]


def kill_server(system: System) -> None:
    """Kill Redis when it has written all that it acknowledged.

    With `appendfsync everysec` and a slow disk it puts writes off for up to two seconds, and would lose them.
    """
    system.redis.config_set("appendfsync", "always")
    system.redis.ping()
    system.server.kill()


@contextmanager
def cut(host: Host) -> Iterator[None]:
    """Cut a collector off from Redis for a while."""
    host.to_state.set("cut")
    try:
        yield
    finally:
        host.to_state.set("pass")


def held_since(scene: Scene, began: float) -> None:
    """Expect no request since a collector began to hold events, except for outreaches that there were already."""

    def is_late(request: Request) -> bool:
        silent_until = datetime.fromisoformat(request.stamp).timestamp() + THRESHOLD_S
        return request.at > began + HOLDS_MS / 1000 + SLACK_S or request.at > began < silent_until - MOMENT_S

    late = [request for request in scene.system.api.requests() if is_late(request)]
    scene.expect(not late, f"{len(late)} requests while a collector held events")


def wait(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


def works_again(scene: Scene) -> None:
    """Wait until everything runs and no collector holds an event."""
    system = scene.system
    system.until(system.collectors.all_answer, WORKS_AGAIN_WITHIN_S, "an answer of every collector")
    system.until(system.all_alive, WORKS_AGAIN_WITHIN_S, "a heartbeat of every role")
    system.until(lambda: not scene.shop.busy, WORKS_AGAIN_WITHIN_S, "the end of the shop's day")
    system.until(system.collectors.all_delivered, WORKS_AGAIN_WITHIN_S, "empty spools")
