"""The observable state of a running system: its log, and its open work in Redis."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from state.partitions import PARTITIONS
from tests.faults.shop import STREAMS
from worker.runtime import State

T = TypeVar("T")

ROLES = ("ingest", "recover", "sweep", "beat")


class Observed:
    """Roles on a server, seen from outside.

    Attributes:
        state: The server's data, without the proxies.
        log: The output of the roles: when (s since the epoch), the role, the line.
    """

    state: State
    log: list[tuple[float, str, str]]

    def until(self, condition: Callable[[], T], within_s: float = 30.0, what: str = "it") -> T:
        """Wait until a condition is truthy and return its value; raises TimeoutError."""
        deadline = time.monotonic() + within_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                last = "\n".join(f"{role}: {line}" for _, role, line in self.log[-20:])
                raise TimeoutError(f"{what} did not happen within {within_s:.0f} s; the last lines:\n{last}")
            time.sleep(0.02)
        return found

    def all_alive(self) -> bool:
        """Return whether every role has recorded a heartbeat within the last seconds."""
        now_ms = self.state.streams.watermark().now_ms
        for role in ROLES:
            beats = self.redis.hvals(self.state.keys.heartbeat(role))
            if not any(now_ms - int(beat) < 2500 for beat in beats):
                return False
        return True

    @property
    def redis(self) -> Any:  # noqa: ANN401 - a client
        """The server itself, without the proxies."""
        return self.state.client

    def in_lanes(self) -> int:
        """Return how many sessions wait in a lane."""
        return sum(self.redis.zcard(key) for key in self.redis.scan_iter("winback:{*}:lane:*", count=1000))

    def open_outreaches(self) -> int:
        """Return how many outreaches are due or leased, at one moment, so that one that changes sets isn't missed."""
        pipe = self.redis.pipeline(transaction=True)
        for number in range(PARTITIONS):
            pipe.zcard(self.state.keys.due(number))
            pipe.zcard(self.state.keys.leased(number))
        return sum(pipe.execute())

    def is_settled(self) -> bool:
        """Return whether nothing is in flight any more."""
        return not (any(map(self.redis.xlen, STREAMS)) or self.in_lanes() or self.open_outreaches())

    def stays_settled(self, for_s: float, within_s: float) -> None:
        """Wait until nothing has been in flight for this long: a stalled worker might still record its result."""
        began = time.monotonic()

        def is_so() -> bool:
            nonlocal began
            if self.is_settled():
                return time.monotonic() - began >= for_s
            began = time.monotonic()
            return False

        try:
            self.until(is_so, within_s, "the end of everything")
        except TimeoutError as exc:
            raise TimeoutError(f"{exc}\nnot settled: {'; '.join(self._unsettled()) or 'anything'}") from None

    def _unsettled(self) -> Iterator[str]:
        """Yield everything in flight, and since or until when: seconds after now by the server's clock."""
        seconds, _ = self.redis.time()
        keys = self.state.keys
        for stream in STREAMS:
            for entry, _fields in self.redis.xrange(stream, count=5):
                yield f"{stream} {entry.decode()}"
        for lane in self.redis.scan_iter("winback:{*}:lane:*", count=1000):
            for member, since in self.redis.zrange(lane, 0, 5, withscores=True):
                yield f"{lane.decode()} {member!r} {since / 1000 - seconds:.0f}"
        for number in range(PARTITIONS):
            for kind, key in (("due", keys.due(number)), ("leased", keys.leased(number))):
                for member, at in self.redis.zrange(key, 0, 5, withscores=True):
                    kept = self.redis.hgetall(keys.outreach(member.decode()))
                    state = {name: kept.get(name) for name in (b"state", b"token", b"attempts", b"due", b"lease")}
                    yield f"{kind} {member!r} {at / 1000 - seconds:.0f} {state}"

    def said(self, words: str, since: float = 0.0) -> int:
        """Return how many log lines contain these words."""
        return sum(words in line for at, _, line in self.log if at >= since)

    def logged(self, *words: str) -> bool:
        """Return whether one log line contains all these words."""
        return any(all(word in line for word in words) for _, _, line in self.log)
