"""Fault 32: collectors that are killed, frozen or cut off while shoppers' events come over HTTP."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from state.collectors import HOLDS_MS, CollectorMark, Collectors
from tests.faults.collector_hosts import EXTRA, Host, stopped
from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.ledger import Request
from tests.faults.observed import ROLES
from tests.faults.servers import WORKS_AGAIN_WITHIN_S
from tests.faults.shop import THRESHOLD_S
from tests.faults.silence import alarms_in
from tests.faults.tracked_shop import TrackedShop
from tests.faults.web_shop import OK, WebShop, filler, post

ONE = (*ROLES, "collect")
TWO = (*ONE, "collect-2")
KILLED_FOR_S = 6.0
FROZEN_S = 8.0
FORGOTTEN_AFTER_S = 10.0
MOMENT_S = 0.1
SLACK_S = 1.5
"""What may pass between a dispatch and its request."""


def killed(scene: Scene) -> None:
    """Kill the collector repeatedly under load; its supervisor restarts it, and clients repeat unanswered events."""
    system = scene.system
    scene.open(40, over_s=KILLED_FOR_S)
    ends = time.monotonic() + KILLED_FOR_S
    while time.monotonic() < ends:
        system.until(system.collectors.all_answer, 30, "an answer of the collector")
        wait(scene, scene.random.uniform(0.1, 1.0))
        os.kill(system.pid("collect"), signal.SIGKILL)
    works_again(scene)


def killed_with_events(scene: Scene) -> None:
    """Kill the collector twice while Redis is down and its spool holds events."""
    system, host = scene.system, _host(scene)
    scene.open(40, over_s=8.0)
    system.until(lambda: _accepted(scene) > 10, 30, "events")
    system.server.kill()
    try:
        for _ in range(2):
            wait(scene, scene.random.uniform(0.3, 1.0))
            scene.expect(post(host.port, filler(f"held-{scene.random.random()}")) == OK, "no 200 from the spool")
            scene.expect(host.segments(), "no file of the spool")
            os.kill(system.pid("collect"), signal.SIGKILL)
            system.until(system.collectors.all_answer, 30, "an answer of the collector")
    finally:
        system.server.start()
    works_again(scene)


def server_killed(scene: Scene) -> None:
    """Kill Redis twice under load, and restart it with its append-only file."""
    scene.open(40, over_s=4.0)
    for _ in range(2):
        wait(scene, scene.random.uniform(0.5, 1.5))
        scene.system.server.kill()
        wait(scene, scene.random.uniform(0.1, 2.0))
        scene.system.server.start()
    works_again(scene)


def server_frozen(scene: Scene) -> None:
    """Freeze Redis for longer than all timeouts."""
    scene.open(30, over_s=3.0)
    scene.system.until(scene.system.open_outreaches, 30)
    pid = scene.system.server.pid
    assert pid is not None
    with stopped(pid):
        wait(scene, FROZEN_S)
    works_again(scene)


def frozen_with_events(scene: Scene) -> None:
    """Freeze a collector that holds events: nothing is contacted until it has delivered them."""
    system, host = scene.system, _host(scene)
    scene.open(30, over_s=2.0)
    system.until(lambda: _accepted(scene) > 10, 30, "events")
    with cut(host):
        began = time.time()
        system.until(host.segments, 20, "events in the spool")
        with stopped(system.pid("collect")):
            wait(scene, FROZEN_S)
        held_since(scene, began)
    works_again(scene)


def gone(scene: Scene) -> None:
    """Kill a collector that holds an event, for good: silence counts again after `collect.missing_after`."""
    system, host = scene.system, scene.system.collectors.hosts[EXTRA]
    session = f"gone-{scene.random.random()}"
    with system.extra_collector() as extra:
        system.until(host.answers, 30, "an answer of the collector")
        system.until(lambda: len(_reports(scene)) > 1, 10, "its report")
        with cut(host):
            scene.expect(post(host.port, filler(session)) == OK, "no 200 from the spool")
            began = time.time()
            os.kill(extra.pids()[EXTRA], signal.SIGKILL)
            scene.open(20, over_s=0.5)
            wait(scene, FORGOTTEN_AFTER_S - SLACK_S)
            made = [request for request in system.api.requests() if request.session in scene.shop.visits]
            scene.expect(not made, f"{len(made)} requests while the collector counted")
    system.until(lambda: _alarm(scene, began), FORGOTTEN_AFTER_S + SLACK_S, "I6: an alarm for the collector")
    system.until(lambda: [one for one in system.api.requests() if one.at > began], 30, "a contact")
    with system.extra_collector():
        system.until(lambda: system.redis.exists(system.state.keys.session(session)), 30, "its event")
    scene.expect(len(_reports(scene)) == 1, "the collector's report is left after an ordered stop")
    works_again(scene)


def one_cut_off(scene: Scene) -> None:
    """Cut one of two collectors off from Redis, while each session's events go to both."""
    scene.open(40, over_s=3.0)
    scene.system.until(lambda: _accepted(scene) > 20, 30, "events")
    hosts = scene.system.collectors.running
    with cut(scene.random.choice(hosts)):
        began = time.time()
        scene.system.until(lambda: any(host.segments() for host in hosts), 20, "events in the spool")
        wait(scene, FROZEN_S)
        held_since(scene, began)
    works_again(scene)


def shuffled(scene: Scene) -> None:
    """Send every event twice and shuffled, as webhooks are repeated."""
    scene.shop.repeats, scene.shop.shuffled_s = 2, 0.3
    scene.open(40, over_s=2.0)


def killed_shuffled(scene: Scene) -> None:
    """The same, and kill one of two collectors: the other one finds the same sessions."""
    shuffled(scene)
    for _ in range(3):
        wait(scene, scene.random.uniform(0.3, 1.0))
        os.kill(scene.system.pid("collect"), signal.SIGKILL)
        scene.system.until(scene.system.collectors.all_answer, 30, "an answer of every collector")
    works_again(scene)


def leased(scene: Scene) -> None:
    """Let the collector fall behind after outreaches were leased, and all of their shoppers pay."""
    system, shop = scene.system, scene.shop
    assert isinstance(shop, WebShop)
    with system.frozen("recover"):
        scene.open(15, over_s=0.2, kinds=(("leaves", 1),))
        system.until(lambda: system.state.outbox.leased() >= 10, 30, "leases")
        with cut(_host(scene)):
            for visit in shop.visits.values():
                shop.happen(visit, {"type": "order_completed"})
            system.until(lambda: not shop.busy, 30, "the end of the orders")
            paid = time.time()
            wait(scene, HOLDS_MS / 1000 + SLACK_S)
            system.thaw(system.pid("recover"), group=True)
            wait(scene, 3.0)
            made = [request for request in system.api.requests() if request.session in shop.visits]
            scene.expect(not made, f"{len(made)} contacts after a payment was answered with 200 ({paid:.0f})")
    works_again(scene)


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


def _reports(scene: Scene) -> tuple[CollectorMark, ...]:
    return Collectors(scene.system.state.scripts, scene.system.state.keys).marks()


def _alarm(scene: Scene, since: float) -> bool:
    return any(one.about == "collectors" for one in alarms_in([line for line in scene.system.log if line[0] >= since]))


def _host(scene: Scene) -> Host:
    return scene.system.collectors.running[0]


def _accepted(scene: Scene) -> int:
    return sum(len(visit.told) for visit in scene.shop.visits.values())


def collector_fault(number: str, title: str, act: Callable[[Scene], None], **more: object) -> Fault:
    """Return a fault of a shop that speaks HTTP. `more`: fields that differ."""
    usual = {"allowed": OR_UNKNOWN, "roles": ONE, "opens": WebShop}
    return Fault(number, title, act, **{**usual, **more})  # type: ignore[arg-type]


FAULTS = (
    collector_fault("32a", "collector killed with -9 again and again under load", killed),
    collector_fault(
        "32b", "collector killed with -9 while Redis is down, with events in its spool", killed_with_events
    ),
    collector_fault("32c", "Redis kill -9 twice under load, behind a collector", server_killed),
    collector_fault("32d", "Redis frozen for 8 s, behind a collector", server_frozen),
    collector_fault("32e", "collector with undelivered events frozen for 8 s", frozen_with_events),
    collector_fault(
        "32f",
        "collector with an undelivered event killed for good",
        gone,
        env={"WINBACK_COLLECT__MISSING_AFTER": f"{FORGOTTEN_AFTER_S:.0f}s"},
    ),
    collector_fault("32g", "one of two collectors cut off from Redis for 8 s", one_cut_off, roles=TWO),
    collector_fault("32h", "every request sent twice and shuffled", shuffled, roles=TWO),
    collector_fault(
        "32p",
        "calls of Segment and webhooks of Yuno twice and shuffled, collector killed",
        killed_shuffled,
        roles=TWO,
        opens=TrackedShop,
        allowed=OR_UNKNOWN | {"suppressed.no_cart"},
    ),
    collector_fault(
        "32i",
        "paid at a collector that falls behind after the lease",
        leased,
        env={"WINBACK_DELIVERY__LEASE_MARGIN": "20s"},
    ),
)
