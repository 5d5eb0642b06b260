"""Messages and commands of the broker that workers refused: how many, why, and when last."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from state.keys import REFUSALS_TTL_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

_LAST = "last"


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals, kept until seven days after the last one."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    last_ms: int | None = None
    """When the last one was recorded (Unix ms of the server); None: never."""

    @property
    def total(self) -> int:
        """The number of refusals for any reason."""
        return sum(self.counts.values())


def add(scripts: Scripts, keys: Keys, counts: Mapping[str, int]) -> None:
    """Add refusals.

    Raises:
        StateError: The server doesn't answer; some might have been added.
    """
    client = scripts.client
    with driver_errors():
        seconds, micros = client.time()
        pipe = client.pipeline(transaction=False)
        for reason, number in counts.items():
            pipe.hincrby(keys.refused, reason, number)
        pipe.hset(keys.refused, _LAST, int(seconds) * 1000 + int(micros) // 1000)
        pipe.pexpire(keys.refused, REFUSALS_TTL_MS)
        pipe.execute()


def read(scripts: Scripts, keys: Keys) -> Refusals:
    """Return the refusals.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        found = scripts.client.hgetall(keys.refused)
    return read_refusals({name.decode(): number.decode() for name, number in found.items()})


def read_refusals(stored: Mapping[str, str]) -> Refusals:
    """Return the refusals from their hash."""
    counts = {name: int(number) for name, number in stored.items()}
    last_ms = counts.pop(_LAST, None)
    return Refusals(counts, last_ms)
