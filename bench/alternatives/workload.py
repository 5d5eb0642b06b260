"""The job of every alternative: keep a session's last activity and its events' data, and the cost of that."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.shop_log import Logged

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """The result of one round. Processor time is per event, in us; memory per waiting session."""

    rate: float
    """Events per second."""
    client_us: float
    server_us: float
    session_bytes: float


def fields_of(event: dict[str, Any]) -> dict[str, str]:
    """Return an event's data about its session, as texts, like the data that Winback keeps."""
    found = {"stage": event["flow_stage"], "platform": event["platform"], "at": event["occurred_at"]}
    if cart := event.get("cart"):
        found["cart"] = json.dumps(cart)
    if customer := event.get("customer"):
        found |= customer
    return found


def middle(log: Sequence[Logged], number: int) -> Sequence[Logged]:
    """Return this many events from the middle of a log, where sessions begin, continue and end."""
    start = (len(log) - number) // 2
    return log[start : start + number]


def sessions_in(log: Sequence[Logged]) -> int:
    return len({logged.event["session_id"] for logged in log})
