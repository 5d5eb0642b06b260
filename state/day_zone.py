"""The zone by whose days the counters are kept.

The sweep records it in each partition, and `count.lua` adds its offset. Until then, and without a zone, days are UTC.
"""

from collections.abc import Mapping
from typing import NamedTuple

from state.hash_fields import texts
from state.keys import DAY_MS, Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts
from state.server_errors import driver_errors

_NAME = "zone"
_OFFSET = "offset"


class DayZone(NamedTuple):
    """A zone with its offset at the moment."""

    name: str
    """IANA name."""
    offset_ms: int
    """Ahead of UTC; negative in America."""

    def day(self, at_ms: int) -> int:
        """Return the day of a moment (Unix ms), in days since 1970-01-01 in this zone.

        The offset of the moment counts for every time, as in `count.lua`. Around a change of the clocks, an earlier
        time within an hour of midnight can so be in the day next to its own.
        """
        return (at_ms + self.offset_ms) // DAY_MS


UTC_DAYS = DayZone("UTC", 0)


def record(scripts: Scripts, keys: Keys, zone: DayZone) -> None:
    """Record a zone in all partitions; UTC removes the record.

    Raises:
        StateError: The server doesn't answer, or is full.
    """
    with driver_errors():
        pipe = scripts.client.pipeline(transaction=False)
        for key in map(keys.clock, range(PARTITIONS)):
            if zone == UTC_DAYS:
                pipe.hdel(key, _NAME, _OFFSET)
            else:
                pipe.hset(key, _NAME, zone.name)
                pipe.hset(key, _OFFSET, zone.offset_ms)
        pipe.execute()


def read(scripts: Scripts, keys: Keys) -> DayZone:
    """Return the recorded zone, or UTC.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        return read_day_zone(texts(scripts.client.hgetall(keys.clock(0))))


def read_day_zone(stored: Mapping[str, str]) -> DayZone:
    """Return the zone in the clock of a partition, or UTC."""
    return DayZone(stored[_NAME], int(stored[_OFFSET])) if _NAME in stored and _OFFSET in stored else UTC_DAYS
