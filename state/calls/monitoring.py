"""The scripts by which processes watch themselves, each other and the orders."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, NamedReply, flag, nothing, number, pairs, script


@script(nothing)
def heartbeat(process: str, remembered_ms: int) -> Arguments:
    """Record that a process is alive."""
    return process, remembered_ms


@script(nothing)
def announce(process: str, remembered_ms: int, announced: str) -> Arguments:
    """Record what a process announces of its settings."""
    return process, remembered_ms, announced


@script(nothing)
def stamp(step: str, *kept: str) -> Arguments:
    """Stamp a step. `kept`: field, value, and so on."""
    return step, *kept


@script(flag)
def monitor_lock(process: str, lock_ms: int) -> Arguments:
    """Take the turn to look for all processes. The reply: whether this process has it."""
    return process, lock_ms


class AlarmChange(NamedTuple):
    """An alarm that is to be told."""

    about: str
    event: str
    """`begins`, `lasts` or `over`."""
    since_ms: int


class AlarmsReply(NamedTuple):
    """The alarms that are to be told."""

    changes: Sequence[AlarmChange]

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Read the reply of alarms.lua."""
        rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        return cls([AlarmChange(about.decode(), event.decode(), int(since)) for about, event, since in rows])


@script(AlarmsReply.parse)
def alarms(repeat_ms: int, remembered_ms: int, checked_at: int, *failing: str | int) -> Arguments:
    """Record what is wrong. `failing`: name, level, and so on."""
    return repeat_ms, remembered_ms, checked_at, *failing


class LaneCount(NamedTuple):
    """A lane of one partition."""

    lane: int
    """Which of the names in the call, from 0."""
    waiting: int
    earliest_ms: int
    """The lowest score."""


class OverviewReply(NamedTuple):
    """What one partition holds."""

    due: int
    due_now: int
    first_due_ms: int | None
    leased: int
    first_lease_ms: int | None
    dead: int
    unknown: int
    lanes: Sequence[LaneCount]
    """Those that aren't empty."""
    counters: Mapping[str, int]

    @classmethod
    def parse(cls, reply: Sequence[object]) -> Self:
        """Read the reply of overview.lua."""
        named = NamedReply(reply)
        lanes, counters = named.items("lanes"), named.items("counters")
        return cls(
            due=named.number("due"),
            due_now=named.number("due_now"),
            first_due_ms=named.time("first_due"),
            leased=named.number("leased"),
            first_lease_ms=named.time("first_lease"),
            dead=named.number("dead"),
            unknown=named.number("unknown"),
            lanes=[LaneCount(*map(int, row)) for row in zip(lanes[::3], lanes[1::3], lanes[2::3], strict=True)],
            counters=_summed(counters),
        )


def _summed(counters: Sequence[bytes]) -> Mapping[str, int]:
    """Add up the counters of several days."""
    totals: dict[str, int] = {}
    for name, number_ in pairs(counters):
        totals[name] = totals.get(name, 0) + int(number_)
    return totals


@script(OverviewReply.parse)
def overview(days: int, *named: int | str) -> Arguments:
    """Count what a partition holds. `named`: the days (since 1970-01-01), then the lanes."""
    return days, *named


@script(number)
def count_orders(checkouts_json: bytes, orders_json: bytes) -> Arguments:
    """Count sessions at the checkout and orders. The reply: how many of the sessions are new."""
    return checkouts_json, orders_json


@script(nothing)
def count_flow(arrived: int, counters: bytes, names: bytes) -> Arguments:
    """Count events and silent sessions. `arrived`: Unix ms; `counters`, `names`: JSON."""
    return arrived, counters, names


class JudgeOrdersReply(NamedTuple):
    """What holds of the orders now."""

    level: str
    changed: bool
    """Whether an alarm begins or ends with it."""

    @classmethod
    def parse(cls, reply: tuple[bytes, int]) -> Self:
        """Read the reply of judge_orders.lua."""
        level, changed = reply
        return cls(level.decode(), bool(changed))


@script(JudgeOrdersReply.parse)
def judge_orders(verdict: str, judged_last: int, holds: int, in_run: int, usual_rate: str) -> Arguments:
    """Record what the run of sessions without an order means."""
    return verdict, judged_last, holds, in_run, usual_rate
