"""Faults 17 to 21: invalid events, duplicates, wrong clocks, changing settings, and events that aren't read."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

from redis import Redis

from tests.faults.fault import OR_UNKNOWN, USUAL, Fault, Scene
from tests.faults.ledger import Answer, always
from tests.faults.shop import GOES_ON_S, THRESHOLD_S
from tests.support.faulty_server import http
from tests.support.wire import Wire

LARGE = 50 * 2**20
PATIENCE_S = 3.0


def poison(scene: Scene) -> None:
    """Put invalid events between the others, and check that each is rejected with a reason."""
    rubbish = [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"session_id": 1}',
        json.dumps({"session_id": "a*b{c}", "type": "activity"}).encode(),
        b'{"session_id": "s", "type": "activity", "cart": {"total_value": NaN}}',
        json.dumps({"session_id": "x" * 600, "type": "order_completed"}).encode(),
        b"x" * LARGE,
    ]
    with Redis.from_url(scene.system.server.url) as shop:
        before = shop.xlen("winback:rejected")
        scene.open(over_s=1.0)
        scene.random.shuffle(rubbish)
        for piece in rubbish:
            shop.xadd("winback:events", {"event": piece})
        shop.xadd("winback:events", {"something": "else"})
        name = "Penelope\r\n2026-01-01 [error] forged\x1b[31m\x00"
        customer = {"full_name": name, "phone_number": "+573999999999", "country_code": "CO"}
        told = {"session_id": f"odd-{scene.random.random()}", "type": "order_completed", "customer": customer}
        shop.xadd("winback:events", {"event": json.dumps(told)})
        scene.system.until(lambda: shop.xlen("winback:rejected") >= before + len(rubbish) + 1, 30, "setting aside")
    scene.expect(not scene.system.said("forged"), "a line of the log was forged")


def repeated(scene: Scene) -> None:
    """Send every event five times, shuffled."""
    scene.shop.repeats, scene.shop.shuffled_s = 5, 0.3
    scene.open(30, over_s=1.0)


def racing(scene: Scene) -> None:
    """Let people pay and come back exactly while requests are made, with a slow API."""

    def slowly(wire: Wire) -> None:
        time.sleep(0.2)  # the API's own delay
        wire.send(http(200))

    scene.system.api.plan(always(Answer("slow 200", contact=True, act=slowly)))
    scene.open(40, over_s=2.0, kinds=(("pays_late", 1), ("comes_back", 1)))


def clock(offset: timedelta) -> Callable[[Scene], None]:
    """Give the shop a wrong clock."""

    def act(scene: Scene) -> None:
        scene.shop.clock_offset = offset
        scene.open(30, over_s=1.0)

    return act


def settings_change(scene: Scene) -> None:
    """Change the thresholds while everything runs; break the file, fix it, write unknown keys."""
    system = scene.system
    scene.open(60, over_s=4.0)
    for _ in range(8):
        system.thresholds(scene.random.uniform(0.5, 1.5) * THRESHOLD_S)
        _pause(scene, 0.2)
    said = time.time()
    for broken in ("[[[", "checkout = 5", 'basket = "5s"'):
        system.thresholds(0.001, broken)
        _pause(scene, 0.4)
    system.until(lambda: system.said("detection_settings_unusable", since=said), 10, "a log line on the broken file")
    system.thresholds(THRESHOLD_S)


def ingest_away(scene: Scene) -> None:
    """Freeze ingest while shoppers continue: unread events must not make a session silent."""
    scene.open(20, over_s=0.5, kinds=(("goes_on", 3), ("leaves", 1)))
    began = time.time()
    with scene.system.frozen("ingest"):
        _pause(scene, GOES_ON_S - 1.0)
    scene.system.until(lambda: not scene.shop.busy, 30)
    active = {name: visit for name, visit in scene.shop.visits.items() if visit.kind == "goes_on"}
    for request in scene.system.api.requests():
        if visit := active.get(request.session):
            until = max(event.at for event in visit.told)
            scene.expect(request.at > until, f"{request.session} was contacted while active ({request.at - began:.1f})")


def _pause(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


TOO_OLD = USUAL | {"expired"}
FAULTS = (
    Fault("17", "poison, malformed and 50 MB events; line breaks in a name", poison),
    Fault("18a", "every event five times, shuffled", repeated),
    Fault("18b", "orders and returns racing the request", racing, OR_UNKNOWN),
    Fault("19a", "the shop's clock an hour ahead", clock(timedelta(hours=1))),
    Fault("19b", "the shop's clock a year ahead", clock(timedelta(days=365))),
    Fault("19c", "the shop's clock a year behind", clock(timedelta(days=-365)), TOO_OLD),
    Fault("20", "thresholds changed in a sweep, a broken file, unknown keys", settings_change),
    Fault("21", "ingest frozen while shoppers go on", ingest_away),
)
