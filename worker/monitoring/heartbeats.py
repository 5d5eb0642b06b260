"""The liveness of the roles, from their heartbeats."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from detectors.lanes import milliseconds
from state.overview import Overview
from worker.settings import Settings

LATE, MISSED_HEARTBEATS = 2, 3
"""Intervals without a heartbeat after which a role is late, and silent."""
HEARTBEAT_INTERVAL = timedelta(seconds=2)
"""Interval of every role's heartbeat. Ingest sends its heartbeat after the read that it may be waiting in."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """The time since a role's last heartbeat."""

    state: Literal["alive", "late", "silent", "never"]
    """`late`: more than two of its intervals ago; `silent`: more than three; `never`: not within a day."""
    ago_ms: int | None
    processes: int
    """The number of processes that aren't silent."""


def interval_ms(role: str, settings: Settings, sweep_ms: int | None = None) -> int:
    """Return the longest time (ms) between two heartbeats of a role. `sweep_ms`: the interval that the sweep uses."""
    if role == "ingest":
        return milliseconds(HEARTBEAT_INTERVAL + settings.ingest.read_timeout)
    if role == "sweep":
        return max(milliseconds(HEARTBEAT_INTERVAL), sweep_ms or milliseconds(settings.detection.sweep_interval))
    return milliseconds(HEARTBEAT_INTERVAL)


def liveness(role: str, overview: Overview, settings: Settings) -> Liveness:
    """Return a role's liveness from its latest heartbeat."""
    interval = interval_ms(role, settings, overview.sweep_interval_ms)
    ages = [max(0, overview.now_ms - beat.at_ms) for beat in overview.heartbeats[role]]
    alive = sum(age <= MISSED_HEARTBEATS * interval for age in ages)
    if not ages:
        return Liveness("never", None, 0)
    missed = min(ages) / interval
    state: Literal["alive", "late", "silent"] = (
        "silent" if missed > MISSED_HEARTBEATS else "late" if missed > LATE else "alive"
    )
    return Liveness(state, min(ages), alive)
