"""Counters of the silences of live sessions, for `winback tune --from-redis`: numbers without ids, by day.

The sweep records in each partition how silences are counted, and the scripts count them: see `end_silence.lua`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from state.hash_fields import texts
from state.keys import DAY_MS, SILENCES_TTL_MS, Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts
from state.server_errors import driver_errors

_NAME = "tuning"
_HORIZONS = "horizons"
DAYS_KEPT = SILENCES_TTL_MS // DAY_MS
_DAYS_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Method:
    """How silences are counted."""

    horizons_ms: Sequence[int]
    needs_cart: Sequence[bool]
    """By rank, whether a session without a cart doesn't count."""
    kinds: Sequence[str]
    """Those whose silences have a threshold that can be tuned."""

    def packed(self) -> str:
        """Return it in the form of the scripts."""
        carts = "".join(str(int(needs)) for needs in self.needs_cart)
        return f"{','.join(self.kinds)} {carts} {' '.join(map(str, self.horizons_ms))}"


class Counters(NamedTuple):
    """The counters of one partition for a UTC day, at one stage and platform."""

    day: int
    """Days since 1970-01-01."""
    rank: int
    partition: int
    horizons_ms: Sequence[int]
    """Those that were counted for all silences."""
    numbers: Mapping[str, int]
    """By the names of `end_silence.lua`: changes at a place of the grid, such as `n.8`."""


def record(scripts: Scripts, keys: Keys, method: Method | None) -> None:
    """Record how silences are counted in all partitions; None: they aren't.

    Raises:
        StateError: The server doesn't answer, or is full.
    """
    with driver_errors():
        pipe = scripts.client.pipeline(transaction=False)
        for key in map(keys.clock, range(PARTITIONS)):
            if method is None:
                pipe.hdel(key, _NAME)
            else:
                pipe.hset(key, _NAME, method.packed())
        pipe.execute()


def server_time(scripts: Scripts) -> int:
    """Return the server's time (Unix ms).

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        seconds, _ = scripts.client.time()
    return int(seconds) * 1000


def read(scripts: Scripts, keys: Keys, ranks: Sequence[int], today: int) -> Iterator[Counters]:
    """Yield the counters of all days that are kept, up to today (days since 1970-01-01, UTC).

    Raises:
        StateError: The server doesn't answer.
    """
    first = today - DAYS_KEPT - 1
    for start in range(first, today + 1, _DAYS_AT_A_TIME):
        days = range(start, min(start + _DAYS_AT_A_TIME, today + 1))
        places = [(day, rank, number) for day in days for rank in ranks for number in range(PARTITIONS)]
        with driver_errors():
            pipe = scripts.client.pipeline(transaction=False)
            for day, rank, number in places:
                pipe.hgetall(keys.silences(number, day, rank))
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        for (day, rank, number), stored in zip(places, found, strict=True):
            if stored:
                yield read_counters(day, rank, number, texts(stored))


def read_counters(day: int, rank: int, partition: int, stored: Mapping[str, str]) -> Counters:
    """Return the counters of a hash."""
    horizons = [int(ms) for ms in stored.get(_HORIZONS, "").split()]
    numbers = {name: int(value) for name, value in stored.items() if name != _HORIZONS}
    return Counters(day, rank, partition, horizons, numbers)
