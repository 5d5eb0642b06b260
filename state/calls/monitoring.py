"""The scripts that monitor processes and orders."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, NamedReply, flag, nothing, number, pairs, script, text


@script(nothing)
def heartbeat(process: str, remembered_ms: int) -> Arguments:
    """Record a heartbeat."""
    return process, remembered_ms


@script(nothing)
def announce(process: str, remembered_ms: int, announced: str) -> Arguments:
    """Record the settings that a process announces."""
    return process, remembered_ms, announced


@script(nothing)
def stamp(step: str, *kept: str) -> Arguments:
    """Stamp a step. `kept`: field, value, and so on."""
    return step, *kept


@script(text)
def record_thresholds(digest: str, settings_json: str, sources_json: str, process: str) -> Arguments:
    """Record what a sweep applies. The reply: the earlier settings as JSON if they differ, else an empty text."""
    return digest, settings_json, sources_json, process


@script(flag)
def monitor_lock(process: str, lock_ms: int) -> Arguments:
    """Take the monitor lock. The reply: whether this process holds it."""
    return process, lock_ms


class AlarmChange(NamedTuple):
    """An alarm that must be logged."""

    about: str
    event: str
    """`begins`, `lasts` or `over`."""
    since_ms: int


class AlarmsReply(NamedTuple):
    """The alarms that must be logged."""

    changes: Sequence[AlarmChange]

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Return the parsed reply of alarms.lua."""
        rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        return cls([AlarmChange(about.decode(), event.decode(), int(since)) for about, event, since in rows])


@script(AlarmsReply.parse)
def alarms(repeat_ms: int, remembered_ms: int, checked_at: int, *failing: str | int) -> Arguments:
    """Record the current problems. `failing`: name, level, and so on."""
    return repeat_ms, remembered_ms, checked_at, *failing


class LaneCount(NamedTuple):
    """A lane of one partition."""

    lane: int
    """Index of the name in the call, from 0."""
    waiting: int
    earliest_ms: int
    """The lowest score."""


class OverviewReply(NamedTuple):
    """The contents of one partition."""

    due: int
    due_now: int
    first_due_ms: int | None
    leased: int
    first_lease_ms: int | None
    dead: int
    unknown: int
    lanes: Sequence[LaneCount]
    """Lanes that aren't empty."""
    counters: Mapping[str, int]

    @classmethod
    def parse(cls, reply: Sequence[object]) -> Self:
        """Return the parsed reply of overview.lua."""
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
    """Return the sums of the counters of several days."""
    totals: dict[str, int] = {}
    for name, number_ in pairs(counters):
        totals[name] = totals.get(name, 0) + int(number_)
    return totals


def _deferred(reply: Sequence[bytes]) -> list[tuple[int, str]]:
    return [(int(float(due)), line.decode(errors="replace")) for due, line in zip(reply[::2], reply[1::2], strict=True)]


@script(_deferred)
def deferred(most: int) -> Arguments:
    """Read why outreaches are due later. The reply: of each its due time (ms), and how its last line begins."""
    return (most,)


@script(OverviewReply.parse)
def overview(days: int, *named: int | str) -> Arguments:
    """Count the contents of a partition. `named`: the days (since 1970-01-01), then the lanes."""
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
    """The level of the order flow now."""

    level: str
    changed: bool
    """Whether an alarm begins or ends with it."""

    @classmethod
    def parse(cls, reply: tuple[bytes, int]) -> Self:
        """Return the parsed reply of judge_orders.lua."""
        level, changed = reply
        return cls(level.decode(), bool(changed))


@script(JudgeOrdersReply.parse)
def judge_orders(verdict: str, judged_last: int, holds: int, in_run: int, usual_rate: str) -> Arguments:
    """Record the verdict on the run of sessions without an order."""
    return verdict, judged_last, holds, in_run, usual_rate
