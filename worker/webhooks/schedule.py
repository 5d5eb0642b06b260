"""The schedule of deliveries: which entry is posted next, and when a failed one is repeated. Pure.

Entries of one outreach are delivered one after the other. Entries of different outreaches don't wait for each other, so
one that the receiver never accepts holds up only later entries of its own outreach. While the receiver fails, one entry
at a time is tried, at growing intervals.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tasks.delivery.backoff import delay

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(minutes=5)
"""For all entries, while the receiver fails; shorter, so that it soon gets what has waited."""
MOST = 1000
"""Entries in memory. The others stay in the feed."""
AT_A_TIME = 8


@dataclass(slots=True)
class Delivery:
    """An entry of the feed that is delivered."""

    entry: bytes
    """Its id in the stream."""
    id: str
    outreach: str
    body: str
    decided_ms: int
    """When the outcome was added to the feed (Unix ms)."""
    failures: int = 0


@dataclass(slots=True)
class Schedule:
    """The entries in memory. Times are monotonic (s)."""

    random: Random
    failures: int = 0
    """Requests that failed since the last one that succeeded."""
    _lines: dict[str, deque[Delivery]] = field(default_factory=dict)
    """Outreach → its entries, in order. The first one of each can be in flight."""
    _turns: list[tuple[float, int, str]] = field(default_factory=list)
    """Heap: when the first entry of an outreach can be posted, a number that keeps the order, the outreach."""
    _number: int = 0
    _in_flight: int = 0
    _paused_until: float = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    @property
    def room(self) -> int:
        """How many more entries can be added."""
        return max(0, MOST - len(self))

    @property
    def _most(self) -> int:
        return 1 if self.failures else AT_A_TIME

    def add(self, delivery: Delivery, now: float) -> None:
        """Add an entry; those of its outreach were added in their order."""
        line = self._lines.setdefault(delivery.outreach, deque())
        line.append(delivery)
        if len(line) == 1:
            self._wait(delivery.outreach, now)

    def next(self, now: float) -> Delivery | None:
        """Return the next entry to post now, or None. It is in flight until `done` or `failed`."""
        if self._in_flight >= self._most or now < self._paused_until or not self._turns or self._turns[0][0] > now:
            return None
        _, _, outreach = heapq.heappop(self._turns)
        self._in_flight += 1
        return self._lines[outreach][0]

    def done(self, delivery: Delivery, now: float, *, accepted: bool = True) -> None:
        """Remove an entry: it was accepted, or is dropped because it is too old."""
        self._in_flight -= 1
        line = self._lines[delivery.outreach]
        line.popleft()
        if line:
            self._wait(delivery.outreach, now)
        else:
            del self._lines[delivery.outreach]
        if accepted:
            self.failures, self._paused_until = 0, 0.0

    def failed(self, delivery: Delivery, now: float, retry_after: timedelta | None = None) -> None:
        """Schedule the repetition of an entry, and a pause for all entries."""
        self._in_flight -= 1
        self.failures += 1
        delivery.failures += 1
        self._wait(delivery.outreach, now + self._backoff(delivery.failures, LONGEST_WAIT))
        self._paused_until = max(self._paused_until, now + self._backoff(self.failures, LONGEST_PAUSE, retry_after))

    def is_hungry(self, now: float) -> bool:
        """Return whether no entry in memory can be posted, apart from a pause for all."""
        return not self._turns or self._turns[0][0] > now

    def wait_s(self, now: float, longest: float) -> float:
        """Return how long nothing can be posted, at most `longest`; a request that ends can change it."""
        if not self._turns or self._in_flight >= self._most:
            return longest
        return min(longest, max(0.0, self._turns[0][0] - now, self._paused_until - now))

    def oldest_ms(self) -> int | None:
        """Return when the first of all entries was decided (Unix ms); None for no entries."""
        return min((line[0].decided_ms for line in self._lines.values()), default=None)

    def _wait(self, outreach: str, until: float) -> None:
        self._number += 1
        heapq.heappush(self._turns, (until, self._number, outreach))

    def _backoff(self, failures: int, longest: timedelta, retry_after: timedelta | None = None) -> float:
        wait = delay(failures, base=FIRST_WAIT, cap=longest, random=self.random, retry_after=retry_after)
        return wait.total_seconds()
