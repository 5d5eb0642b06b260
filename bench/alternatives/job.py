"""The job that every alternative does: keep a session's last activity and what its events said, and what that costs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.shop_log import Logged

BATCH = 1000
TICKS_A_SECOND = 100  # USER_HZ, the same on every Linux that Python runs on


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


def processor_s(pid: int) -> float:
    """Return the processor time (s) of a process, of the children it has waited for, and of those that run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return 0.0
    ticks = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / TICKS_A_SECOND + sum(processor_s(int(child)) for child in children)


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has for itself (its proportional share of what is shared)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup says nothing about Pss")
