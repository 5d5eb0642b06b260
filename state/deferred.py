"""Why outreaches are due later. Reads a bounded number of each partition, and nothing but reads."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from state.calls import monitoring as lua
from state.keys import Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts

EACH_PARTITION = 16
"""Outreaches that are read of each partition at most."""
_FIRST = "claimed"
_POSTPONED = "postponed"


class Deferred(NamedTuple):
    """Outreaches that are due later for the same reason."""

    reason: str
    """A reason of `postponed`, such as `quiet_hours`, or `retry` or `not_sent` with its reason, like `retry.http_503`.

    It is `delayed` before the first attempt.
    """
    number: int
    """Of those that were read."""
    first_due_ms: int


def read_deferred(scripts: Scripts, keys: Keys) -> list[Deferred]:
    """Read why outreaches are due later, the most frequent reason first.

    Raises:
        StateError: The server doesn't answer.
    """
    calls = [lua.deferred(keys.partition(number), EACH_PARTITION) for number in range(PARTITIONS)]
    numbers: Counter[str] = Counter()
    first_ms: dict[str, int] = {}
    for due_ms, line in (each for part in scripts.run_many(calls) for each in part):
        reason = _reason(line)
        numbers[reason] += 1
        first_ms[reason] = min(due_ms, first_ms.get(reason, due_ms))
    return [Deferred(reason, number, first_ms[reason]) for reason, number in numbers.most_common()]


def is_sample(deferred: Sequence[Deferred], total: int) -> bool:
    """Whether fewer outreaches were read than are due later."""
    return sum(each.number for each in deferred) < total


def _reason(line: str) -> str:
    word, _, reason = line.partition(".")
    if word == _POSTPONED and reason:
        return reason
    return line if line and word != _FIRST else "delayed"
