"""Faults 2e to 2g: a relay that is killed between any two steps. Every outcome must be in the feed."""

import json
from collections.abc import Callable
from typing import Any

from state.decisions import OPEN, Operator
from state.partitions import PARTITIONS
from tasks.failpoints import Point
from tasks.outcomes.names import NAMES
from tests.faults.crashes import killed_at
from tests.faults.fault import Fault, Scene

POINTS: tuple[tuple[str, Point], ...] = (
    ("2e", "outcomes_read"),
    ("2f", "outcomes_added"),
    ("2g", "outcomes_removed"),
)


def relay_killed_at(point: Point) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        killed_at(point)(scene)
        system = scene.system
        system.until(lambda: not scene.shop.busy, 120, "the end of the shop's day")
        system.stays_settled(0.0, 60)
        system.until(lambda: not _unmoved(system.redis, scene), 20, "the relay's work")
        scene.expect(not (missing := _missing(scene)), f"I2: outcomes that aren't in the feed: {missing}")

    return act


def _unmoved(redis: Any, scene: Scene) -> int:  # noqa: ANN401 - a client
    return sum(redis.zcard(scene.system.state.keys.unmoved(number)) for number in range(PARTITIONS))


def _missing(scene: Scene) -> list[str]:
    """Return ended outreaches whose latest outcome in the feed isn't the recorded one."""
    system, latest = scene.system, {}
    for _, fields in system.redis.xrange(system.state.keys.outcomes):
        data = json.loads(fields[b"outcome"])["data"]
        if data["outcome"] != "recovered":
            latest[data["outreach_id"]] = data["outcome"]
    found = [key.decode().rpartition(":")[2] for key in system.redis.scan_iter("winback:{*}:outreach:*", count=1000)]
    records = Operator(system.state.scripts, system.state.keys).read(found)
    ended = [record for record in records if record is not None and record.state not in OPEN]
    wrong = [record for record in ended if latest.get(record.outreach) != NAMES.get(record.state)]
    return [f"{record.outreach} {record.state}, not {latest.get(record.outreach)}" for record in wrong]


FAULTS = tuple(
    Fault(number, f"kill -9 the relay: {point.replace('_', ' ')}", relay_killed_at(point)) for number, point in POINTS
)
