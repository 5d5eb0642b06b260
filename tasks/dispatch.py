"""Hands out what is due: takes back dead leases, leases the oldest, and says so to the workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.deps import Deps


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one round did."""

    enqueued: int
    due_again: int
    unknown: int


def dispatch(deps: Deps, *, queued: Callable[[], int], enqueue: Callable[[Sequence[str]], None]) -> Dispatched:
    """Lease what is due, never more than `deps.in_flight` at a time, and enqueue one message for each.

    Nothing is leased while the broker's queue is as long as what the workers may have in hand: claims in an overlong
    queue would only run out there. A message that gets lost is replaced when its lease has run out.

    Raises:
        StateError: Redis could not be reached.
    """
    reaped = deps.outbox.reap()
    free = deps.in_flight - deps.outbox.leased()
    if free > 0 and queued() < deps.in_flight:
        # The id is read before the lease: whatever had arrived by then is applied before anybody is contacted.
        noted = deps.stream.last_id()
        leased = deps.outbox.lease_due(free, now_ms=deps.stream.watermark().now_ms, noted=noted)
        if leased:
            enqueue(leased)
        return Dispatched(len(leased), reaped.due_again, reaped.unknown)
    return Dispatched(0, reaped.due_again, reaped.unknown)
