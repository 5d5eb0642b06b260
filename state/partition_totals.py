"""Totals of all partitions: outreaches, waiting sessions, and counters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from state.calls.monitoring import OverviewReply

OUTCOMES = ("sent", "cancelled", "suppressed", "unreachable", "expired", "unknown", "dead")
"""The outcomes of a silent session. Each silence has exactly one of them, or is still open."""
ORDERS = ("recovered", "control")


@dataclass(frozen=True, slots=True)
class OutboxTotals:
    """The number of outreaches by place, in all partitions."""

    due: int
    """Waiting for dispatch, now or later."""
    due_now: int
    first_due_ms: int | None
    """When the longest overdue one became due, or the next one will."""
    leased: int
    dead: int
    unknown: int
    first_lease_ms: int | None = None
    """When the first lease ends."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts of the requested days. Zeros are left out."""

    silent: Mapping[str, int]
    """Sessions that a sweep found silent for too long, by lane."""
    outcomes: Mapping[str, Mapping[str, int]]
    """Their outcomes by outcome and reason; the reason is empty if the outcome has only one."""
    orders: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Orders of contacted people (`recovered`) and of the holdout (`control`): `orders`, `unpriced` among them, and
    minor units by currency."""

    def total(self, outcome: str) -> int:
        """Return how many had this outcome, for any reason."""
        return sum(self.outcomes.get(outcome, {}).values())


def outbox_totals(parts: Sequence[OverviewReply]) -> OutboxTotals:
    """Add up the outreaches of the partitions."""
    return OutboxTotals(
        due=sum(part.due for part in parts),
        due_now=sum(part.due_now for part in parts),
        first_due_ms=min((part.first_due_ms for part in parts if part.first_due_ms is not None), default=None),
        leased=sum(part.leased for part in parts),
        dead=sum(part.dead for part in parts),
        unknown=sum(part.unknown for part in parts),
        first_lease_ms=min((part.first_lease_ms for part in parts if part.first_lease_ms is not None), default=None),
    )


def waiting_by_lane(parts: Sequence[OverviewReply], names: Sequence[str]) -> dict[str, int]:
    """Return how many sessions wait, by lane."""
    waiting: Counter[int] = Counter()
    for lane in (lane for part in parts for lane in part.lanes):
        waiting[lane.lane] += lane.waiting
    return {name: waiting[index] for index, name in enumerate(names) if index in waiting}


def earliest_by_lane(parts: Sequence[OverviewReply], names: Sequence[str]) -> dict[str, int]:
    """Return since when the first session of each lane has been silent (Unix ms)."""
    earliest: dict[int, int] = {}
    for lane in (lane for part in parts for lane in part.lanes):
        earliest[lane.lane] = min(lane.earliest_ms, earliest.get(lane.lane, lane.earliest_ms))
    return {name: earliest[index] for index, name in enumerate(names) if index in earliest}


def counters(parts: Sequence[OverviewReply]) -> Counters:
    """Add up the counters of the partitions."""
    totals: Counter[str] = Counter()
    for part in parts:
        for counted, count in part.counters.items():
            # Only the report needs the place in the shop.
            totals[counted.partition("@")[0]] += count
    silent: dict[str, int] = {}
    outcomes: dict[str, dict[str, int]] = {}
    orders: dict[str, dict[str, int]] = {}
    for counted, count in sorted(totals.items()):
        name, _, rest = counted.partition(".")
        if count and name == "silent":
            silent[rest] = count
        elif count and name in OUTCOMES:
            outcomes.setdefault(name, {})[rest] = count
        elif count and name in ORDERS:
            orders.setdefault(name, {})[rest] = count
    return Counters(silent, outcomes, orders)
