"""Fault 32, continued: a collector on a host whose clock is hours off, started while Redis is down."""

from collections.abc import Callable
from datetime import timedelta

from tests.faults.collector_hosts import EXTRA
from tests.faults.collector_scene import collector_fault, kill_server, wait, works_again
from tests.faults.fault import Fault, Scene
from tests.faults.web_shop import OK, WebShop, filler, post

DOWN_S = 3.0


def clock(ahead: timedelta) -> Callable[[Scene], None]:
    """Start a collector without Redis, let it accept events by its own clock, then start Redis."""

    def act(scene: Scene) -> None:
        system, shop = scene.system, scene.shop
        assert isinstance(shop, WebShop)
        host, session = system.collectors.hosts[EXTRA], f"untimed-{scene.random.random()}"
        scene.open(40, over_s=5.0)
        system.until(lambda: any(visit.told for visit in shop.visits.values()), 30, "an event")
        kill_server(system)
        try:
            extra = system.extra_collector(clock_ahead_s=ahead.total_seconds())
            extra.start()
        except BaseException:
            system.server.start()
            raise
        try:
            system.until(host.answers, 30, "an answer of the collector")
            with shop.only(host):
                wait(scene, DOWN_S)
                scene.expect(post(host.port, filler(session)) == OK, "no 200 from the spool")
                system.server.start()
                system.until(system.all_alive, 30, "a heartbeat of every role")
                system.until(lambda: not shop.busy and not host.segments(), 30, "an empty spool")
        finally:
            system.server.start()
            extra.stop()
        _came_now(scene, session)
        works_again(scene)

    return act


def _came_now(scene: Scene, session: str) -> None:
    """Expect that an event without a time got one of the server's clock."""
    key = scene.system.state.keys.session(session)
    scene.system.until(lambda: scene.system.redis.exists(key), 10, session)
    (found,) = scene.system.state.sessions.read([session])
    seconds, _ = scene.system.redis.time()
    scene.expect(abs(found.signal // 100 / 1000 - seconds) < 60, f"an event without a time is of {found.signal}")


FAULTS: tuple[Fault, ...] = (
    collector_fault("32m", "collector's host 3 h ahead, Redis down at its start", clock(timedelta(hours=3))),
    collector_fault("32n", "collector's host 3 h behind, Redis down at its start", clock(timedelta(hours=-3))),
)
