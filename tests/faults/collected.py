"""Fault 32: collectors that are killed, frozen or cut off while shoppers' events come over HTTP."""

import os
import signal
import time

from state.collectors import HOLDS_MS, CollectorMark, Collectors
from tests.faults.collector_hosts import EXTRA, Host, stopped
from tests.faults.collector_scene import SLACK_S, TWO, collector_fault, cut, held_since, kill_server, wait, works_again
from tests.faults.fault import OR_UNKNOWN, Scene
from tests.faults.silence import alarms_in
from tests.faults.tracked_shop import TrackedShop
from tests.faults.web_shop import OK, WebShop, filler, post

KILLED_FOR_S = 6.0
FROZEN_S = 8.0
FORGOTTEN_AFTER_S = 10.0


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
    kill_server(system)
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
        kill_server(scene.system)
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


def _reports(scene: Scene) -> tuple[CollectorMark, ...]:
    return Collectors(scene.system.state.scripts, scene.system.state.keys).marks()


def _alarm(scene: Scene, since: float) -> bool:
    return any(one.about == "collectors" for one in alarms_in([line for line in scene.system.log if line[0] >= since]))


def _host(scene: Scene) -> Host:
    return scene.system.collectors.running[0]


def _accepted(scene: Scene) -> int:
    return sum(len(visit.told) for visit in scene.shop.visits.values())


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
    collector_fault("32h", "every request sent twice and shuffled", shuffled, roles=TWO, most_runs=5),
    collector_fault(
        "32p",
        "calls of Segment and webhooks of Yuno twice and shuffled, collector killed",
        killed_shuffled,
        roles=TWO,
        opens=TrackedShop,
        allowed=OR_UNKNOWN | {"suppressed.no_cart"},
        most_runs=5,
    ),
    collector_fault(
        "32i",
        "paid at a collector that falls behind after the lease",
        leased,
        env={"WINBACK_DELIVERY__LEASE_MARGIN": "20s"},
    ),
)
