"""The event flow: what arrives, counted by the minute for all processes together. No counter holds a value of an event.

Ingest counts every event once by its type and stage, and inspects a part of them more closely; the sweep counts the
sessions that it found silent. Counts are approximate: a batch that a process loses in a crash isn't counted, and one
whose reply is lost is counted twice. Below the key `flow`, each a hash, by its number since 1970-01-01 (UTC):

- `flow:MINUTE`: the counters of a minute (2 hours)
- `flow:day:DAY`: sessions found silent, and those of them that were unreachable (9 days)
- `flow:names:HOUR`: unknown field names, at most 101 (3 hours)
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from state.calls import monitoring as lua
from state.driver import Client
from state.keys import DAY_MS, Keys
from state.script import NamedCall

MINUTES, RECENT_MINUTES = 60, 5
"""Spans of the counters that are read: an hour, and the last minutes of it."""
DAYS = 8
"""Days of silent sessions that are read, today included."""
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
_NOW = 2**40
"""A minute in the future: the script takes the server's own."""
TYPE, WARNING, LATENESS = "type.", "warning.", "late."
REJECTED, PARTIAL, INSPECTED, UNKNOWN = "rejected", "partial", "inspected", "unknown"
CUSTOMER, NO_PHONE, NO_COUNTRY = "customer", "no_phone", "no_country"
SILENT, UNREACHABLE = "silent", "unreachable"
"""Names of counters, and beginnings of names."""


@dataclass(slots=True)
class FlowCounts:
    """What a batch adds to the counters."""

    arrived_ms: int
    """When its last event arrived (Unix ms)."""
    minutes: dict[int, Counter[str]] = field(default_factory=dict)
    """Minute since 1970 → counters."""
    names: Counter[str] = field(default_factory=Counter)
    """Unknown field name → number of inspected events that have it; "" for names that aren't kept."""


@dataclass(frozen=True, slots=True)
class EventFlow:
    """What arrived lately."""

    last_ms: int | None = None
    """When the last event arrived (Unix ms); None: none has within 30 days."""
    hour: Mapping[str, int] = field(default_factory=dict)
    """Counters of the last 60 minutes."""
    recent: Mapping[str, int] = field(default_factory=dict)
    """Counters of the last 5 minutes."""
    names: Mapping[str, int] = field(default_factory=dict)
    """Unknown field names with the number of inspected events, of this hour and the one before, the most first."""
    usual_silent: int = 0
    """Sessions found silent in the last days, without the last 60 minutes ..."""
    usual_unreachable: int = 0
    """... and those of them that were unreachable."""

    @property
    def events(self) -> int:
        """Events of the last 60 minutes, rejected ones included."""
        return events_in(self.hour)

    def by_type(self, counters: Mapping[str, int]) -> dict[str, int]:
        """Return the events of some counters by type and stage (`activity.checkout`), the most first."""
        return _part(counters, TYPE)

    @property
    def warnings(self) -> dict[str, int]:
        """The warnings of the last 60 minutes by code, the most first."""
        return _part(self.hour, WARNING)

    @property
    def lateness(self) -> dict[int, int]:
        """Inspected events of the last 60 minutes by their lateness: bits of its ms → number."""
        return {int(name): number for name, number in _part(self.hour, LATENESS).items()}


def events_in(counters: Mapping[str, int]) -> int:
    """Return how many events some counters have, rejected ones included."""
    return sum(_part(counters, TYPE).values()) + counters.get(REJECTED, 0)


def count_events(keys: Keys, counts: FlowCounts) -> NamedCall:
    """Return the call that counts a batch."""
    rows = [[minute, _flat(counters)] for minute, counters in counts.minutes.items()]
    return lua.count_flow(keys.control, counts.arrived_ms, to_json(rows), to_json(_flat(counts.names)))


def count_silent(keys: Keys, silent: int, unreachable: int) -> NamedCall:
    """Return the call that counts sessions which a sweep has found silent."""
    rows = [[_NOW, _flat({SILENT: silent, UNREACHABLE: unreachable})]]
    return lua.count_flow(keys.control, 0, to_json(rows), b"[]")


def read_event_flow(client: Client, keys: Keys, now_ms: int) -> EventFlow:
    """Read what arrived lately, in one round trip. `now_ms`: Unix ms of the server."""
    minute, day, hour = now_ms // MINUTE_MS, now_ms // DAY_MS, now_ms // HOUR_MS
    pipe = client.pipeline(transaction=False)
    pipe.hgetall(keys.flow)
    for number in range(MINUTES):
        pipe.hgetall(f"{keys.flow}:{minute - number}")
    for number in range(DAYS):
        pipe.hgetall(f"{keys.flow}:day:{day - number}")
    for number in range(2):
        pipe.hgetall(f"{keys.flow}:names:{hour - number}")
    replies: list[Mapping[bytes, bytes]] = pipe.execute()
    found = [_numbers(reply) for reply in replies]
    minutes, days, names = found[1 : 1 + MINUTES], found[1 + MINUTES : -2], found[-2:]
    last_hour, week = _sum(minutes), _sum(days)
    last_ms = found[0].get("last")
    return EventFlow(
        # An arrival in the future is from before the clock was put back.
        last_ms=None if last_ms is None else min(last_ms, now_ms),
        hour=last_hour,
        recent=_sum(minutes[:RECENT_MINUTES]),
        names=dict(_sum(names).most_common()),
        usual_silent=max(0, week[SILENT] - last_hour[SILENT]),
        usual_unreachable=max(0, week[UNREACHABLE] - last_hour[UNREACHABLE]),
    )


def _flat(counters: Mapping[str, int]) -> list[str | int]:
    return [word for name, number in counters.items() if number for word in (name, number)]


def _numbers(reply: Mapping[bytes, bytes]) -> Counter[str]:
    return Counter({name.decode(errors="replace"): int(number) for name, number in reply.items()})


def _sum(found: Sequence[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counters in found:
        total.update(counters)
    return total


def _part(counters: Mapping[str, int], beginning: str) -> dict[str, int]:
    part = {name.removeprefix(beginning): number for name, number in counters.items() if name.startswith(beginning)}
    return dict(sorted(part.items(), key=lambda item: -item[1]))
