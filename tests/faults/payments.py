"""Fault 1d: ingest is killed between applying payments in progress and marking the people that they name."""

import json
import time
from datetime import UTC, datetime

from tests.faults.fault import Scene
from tests.faults.shop import STREAMS

IN_PROGRESS_S = 6.0


def payments_applied(scene: Scene) -> None:
    """Kill ingest with payments in its hands that name people by phone, and no session: no person is contacted."""
    system, shop = scene.system, scene.shop
    scene.open(15, over_s=0.2, kinds=(("leaves", 1),))
    system.until(lambda: not shop.busy and not any(map(system.redis.xlen, STREAMS)), 30, "the sessions")
    with system.frozen("ingest"):
        ends = time.time() + IN_PROGRESS_S
        for visit in shop.visits.values():
            told = {
                "type": "payment_pending",
                "customer": {"phone_number": visit.phone},
                "occurred_at": _text(time.time()),
                "expires_at": _text(ends),
            }
            system.redis.xadd(scene.random.choice(STREAMS), {"event": json.dumps(told)})
        system.arm("events_applied")
    system.met("events_applied")
    system.until(lambda: time.time() > ends, IN_PROGRESS_S + 30)
    early = [one for one in system.api.requests() if one.session in shop.visits and one.at < ends]
    scene.expect(not early, f"I3: {len(early)} people contacted while their payment was in progress")


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
