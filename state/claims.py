"""Claiming silent sessions: a sweep takes them from their lanes."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from state import event_flow
from state.calls import sessions as lua
from state.keys import Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts


@dataclass(frozen=True, slots=True)
class SilentLane:
    """The cut-off of one lane; see detectors.lanes.CutOff for each field."""

    lane: str
    silent_before_ms: int
    wait_ms: int
    suppress_reason: str
    measure_from_expiry: bool
    checked_ms: int = 0
    """The server's time of that computation. Nothing is claimed if the clock was put back since."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The result of a sweep: claimed sessions, and how many of them became an outreach."""

    sessions: int
    outreaches: int


class Bounds(NamedTuple):
    """The bounds of a claim."""

    max_age_ms: int
    """A session overdue for longer ends as expired."""
    required: Sequence[str]
    """Fields without which a session ends as unreachable."""
    limit: int
    """How many sessions one script call examines, so that it doesn't block the server. It doesn't limit the total."""


def claim(
    scripts: Scripts,
    keys: Keys,
    ranks: bytes,
    lanes: Sequence[SilentLane],
    bounds: Bounds,
    *,
    each_round: Callable[[], object],
) -> Claimed:
    """Claim every session that has been silent for too long, in all partitions.

    A session that ends as unreachable or expired makes no outreach. `ranks`: the names of the ranks, as scripts take
    them. `each_round` is called after each round of all partitions.
    """
    packed = json.dumps([_packed(lane) for lane in lanes])
    taken, unreachable, outreaches, numbers = 0, 0, 0, list(range(PARTITIONS))
    while numbers and lanes:
        ids = [f"{n:02d}-{secrets.token_hex(6)}" for n in numbers]
        calls = [
            lua.claim(keys.partition(n), bounds.limit, bounds.max_age_ms, packed, start, ranks, *bounds.required)
            for n, start in zip(numbers, ids, strict=True)
        ]
        replies = scripts.run_many(calls)
        taken += sum(reply.taken for reply in replies)
        unreachable += sum(reply.unreachable for reply in replies)
        outreaches += sum(len(reply.outreaches) for reply in replies)
        numbers = [n for n, reply in zip(numbers, replies, strict=True) if reply.looked >= bounds.limit]
        each_round()
    if taken:
        scripts.run(event_flow.count_silent(keys, taken, unreachable))
    return Claimed(taken, outreaches)


def _packed(lane: SilentLane) -> dict[str, object]:
    """Return a lane in the form of the script."""
    return {
        "name": lane.lane,
        "before_ms": lane.silent_before_ms,
        "wait_ms": lane.wait_ms,
        "reason": lane.suppress_reason,
        "measure_from_expiry": lane.measure_from_expiry,
        "checked_ms": lane.checked_ms,
    }
