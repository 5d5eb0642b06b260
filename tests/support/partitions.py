"""Sessions that share a partition."""

from collections.abc import Sequence
from itertools import count

from state.partitions import partition_of


def same_partition(session: str, number: int = 2) -> Sequence[str]:
    """Ids of sessions that live in one partition, the given one first."""
    wanted = partition_of(session)
    others = (f"{session}-{index}" for index in count())
    found = [session]
    while len(found) < number:
        other = next(others)
        if partition_of(other) == wanted:
            found.append(other)
    return found
