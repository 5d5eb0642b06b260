"""The job that every alternative does: keep a session's last activity and what its events said, and what that costs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.shop_log import Logged

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round came to. Processor time is for each event, in us; memory for each session that waits."""

    rate: float
    """Events a second."""
    client_us: float
    server_us: float
    session_bytes: float


def fields_of(event: dict[str, Any]) -> dict[str, str]:
    """Return what an event says about its session, as texts: what Winback keeps of it, too."""
    found = {"stage": event["flow_stage"], "platform": event["platform"], "at": event["occurred_at"]}
    if cart := event.get("cart"):
        found["cart"] = json.dumps(cart)
    if customer := event.get("customer"):
        found |= customer
    return found


def middle(log: Sequence[Logged], number: int) -> Sequence[Logged]:
    """Return so many events from the middle of a log, where sessions begin, go on and end."""
    start = (len(log) - number) // 2
    return log[start : start + number]


def sessions_in(log: Sequence[Logged]) -> int:
    return len({logged.event["session_id"] for logged in log})
