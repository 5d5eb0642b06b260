"""Sessions that reach the checkout and orders that arrive, counted for all processes together.

A session is kept as a number in place of its id, for at most a day. Counters are kept for 15 days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

from pydantic_core import to_json

from state.calls import monitoring as lua
from state.calls.monitoring import JudgeOrdersReply
from state.connection_count import connects_of
from state.keys import DAY_MS, Keys
from state.script import NamedCall
from state.scripts import Scripts
from state.server_errors import driver_errors

DAYS = 8
"""Days of counters that are read, including today."""


class SessionMoment(NamedTuple):
    """A session, empty for none, and a time (Unix ms)."""

    session: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class OrderFlow:
    """The last verdict on the orders. Times are Unix ms of the server."""

    last_ms: int = 0
    """When the last order arrived; 0: never."""
    level: str = "fine"
    """`fine`, `doubtful` (their absence is improbable), `stopped`, or `never` (none has ever arrived)."""
    since_ms: int = 0
    """When the level began."""
    run: int = 0
    """Sessions that reached the checkout since the last order and had the time to order."""
    rate: float = 0.0
    """The share of them that usually orders, at least."""
    held: bool = False
    """Whether sending is held for it."""
    released_ms: int = 0
    """Until when sending continues regardless; 0: it doesn't."""

    def holds(self, now_ms: int) -> bool:
        """Return whether sending is held now."""
        return self.held and now_ms >= self.released_ms


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of one day (UTC)."""

    checkouts: Sequence[int]
    """By hour: sessions that reached the checkout."""
    ordered: Sequence[int]
    """How many of these have ordered, by the hour in which they reached the checkout."""
    arrived: Sequence[int]
    """Orders by the hour of their arrival."""
    delays: Mapping[int, int]
    """Orders by the step of their delay; see `detectors.order_flow.delay_step`."""


class Orders:
    """The counters and the verdict."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def count(self, checkouts: Sequence[SessionMoment], orders: Sequence[SessionMoment]) -> list[NamedCall]:
        """Return the calls that count these. Safe to repeat.

        An order without a session has an empty text in its place.
        """
        if not checkouts and not orders:
            return []
        return [lua.count_orders(self._keys.control, to_json(_numbered(checkouts)), to_json(_numbered(orders)))]

    @property
    def connects(self) -> int:
        """Return how many connections to the server were made; see `state.connection_count`."""
        return connects_of(self._scripts.client)

    def flow(self) -> OrderFlow:
        """Return the last verdict."""
        with driver_errors():
            found = self._scripts.client.hgetall(self._keys.orders)
        return read_flow({name.decode(): text.decode() for name, text in found.items()})

    def waiting(self, since_ms: int, until_ms: int) -> int:
        """Return the number of sessions without an order that reached the checkout after one moment, up to another."""
        with driver_errors():
            return int(self._scripts.client.zcount(self._keys.checkouts, f"({max(0, since_ms)}", until_ms))

    def counts(self, now_ms: int) -> list[Counts]:
        """Return the counters of the last days, today first."""
        today = now_ms // DAY_MS
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for day in range(today, today - DAYS, -1):
                pipe.hgetall(self._keys.orders_of(day))
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        return [_counts(day) for day in found]

    def record(self, level: str, *, judged_ms: int, hold: bool, run: int, rate: float) -> JudgeOrdersReply:
        """Record a verdict; return the level that is now in force, and whether an alarm begins or ends with it.

        `level`: `fine`, `doubtful`, `stopped`, `never`, or `off`. `judged_ms`: the last order of the verdict; an order
        that has arrived since outweighs it. Once orders have stopped, only an order ends that.
        """
        call = lua.judge_orders(self._keys.control, level, judged_ms, int(hold), run, f"{rate:.3f}")
        return self._scripts.run(call)


def read_flow(stored: Mapping[str, str]) -> OrderFlow:
    """Return the last verdict from its hash."""
    return OrderFlow(
        last_ms=int(stored.get("last", 0)),
        level=stored.get("level", "fine"),
        since_ms=int(stored.get("since", 0)),
        run=int(stored.get("run", 0)),
        rate=float(stored.get("rate", 0)),
        held="held" in stored,
        released_ms=int(stored.get("released", 0)),
    )


def _numbered(moments: Sequence[SessionMoment]) -> list[str]:
    return [word for name, at_ms in moments for word in (str(crc32(name.encode())) if name else "", str(at_ms))]


def _counts(found: Mapping[bytes, bytes]) -> Counts:
    named = {name.decode(): int(number) for name, number in found.items()}

    def hours(kind: str) -> list[int]:
        return [named.get(f"{kind}{hour}", 0) for hour in range(24)]

    delays = {int(name[1:]): number for name, number in named.items() if name.startswith("d")}
    return Counts(hours("c"), hours("o"), hours("a"), delays)
