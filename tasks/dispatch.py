"""Dispatch: takes back expired leases, leases the longest due outreaches, and enqueues messages for workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from state.partitions import PARTITIONS
from state.reaped import Reaped
from state.sending_control import Permits
from tasks.deps import Deps
from tasks.failpoints import reached

FLOOD = 100
"""A queue of this many times `in_flight` is emptied: working through it would take longer than a lease."""

log = structlog.get_logger("winback.tasks")


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The result of one round."""

    enqueued: int
    due_again: int
    unknown: int


def dispatch(
    deps: Deps,
    *,
    queued: Callable[[], int],
    enqueue: Callable[[Sequence[str]], None],
    purge: Callable[[], int] = lambda: 0,
) -> Dispatched:
    """Lease due outreaches within the permits, and enqueue one message for each.

    At most `deps.in_flight` are leased at a time. Nothing is leased while the broker's queue is as long as this limit:
    leases in an overlong queue would only expire. A far longer queue is full of duplicates, and is emptied (`purge`). A
    lost message is replaced after its lease expires. Outreaches without a permit stay due, and so do all of them while
    sending is paused.

    Raises:
        StateError: Redis couldn't be reached.
    """
    deps.streams.confirm_writable()
    reaped = _reap(deps)
    in_flight = deps.outbox.leased()
    free = deps.in_flight - in_flight
    if free > 0:
        free = room(free, deps, _queue(deps, queued, purge))
    leased = _lease(free, in_flight, deps)
    if leased:
        reached("outreaches_leased")
        enqueue(leased)
        reached("outreaches_enqueued")
    deps.stamps.dispatched(untaken=reaped.untaken)
    return Dispatched(len(leased), reaped.due_again, reaped.unknown)


def _lease(free: int, in_flight: int, deps: Deps) -> list[str]:
    """Lease up to `free` due outreaches within the permits, longest due first; return their ids."""
    # Read the reports of collectors, then the ids, then lease: all that collectors had delivered by then, and all else
    # that had arrived, is applied before any contact.
    mark = deps.streams.watermark() if free > 0 else None
    barrier = deps.streams.barrier() if free > 0 else ""
    if mark and mark.collector_behind:
        # A shopper's return can be among its events. All outreaches stay due.
        log.warning("dispatch_held", reason="a collector holds undelivered events", collector=mark.collector_behind)
        free = 0
    partitions = deps.outbox.due(free, now_ms=mark.now_ms) if mark and free > 0 else []
    permits = deps.control.permits(len(partitions), in_flight=in_flight)
    if permits.changed:
        _log_sending_state(permits)
    leased = deps.outbox.lease(partitions[: permits.granted], barrier=barrier)
    if len(leased) < permits.granted:
        # Another dispatcher was faster.
        deps.control.not_leased(permits.granted - len(leased))
    return leased


def _reap(deps: Deps) -> Reaped:
    """Take back expired leases. If the clock was put back, also move times that were stored while it was ahead."""
    if by_ms := deps.control.put_back_ms():
        _put_back(dict.fromkeys(range(PARTITIONS), by_ms), deps)
        # Last: until this is done, the next dispatch repeats all of it.
        deps.control.put_back(by_ms)
    reaped = deps.outbox.reap()
    if reaped.ahead_ms:
        _put_back(reaped.ahead_ms, deps)
    return reaped


def _put_back(by_ms: Mapping[int, int], deps: Deps) -> None:
    """Make outreaches due earlier that were stored while the clock was ahead, by partition."""
    log.warning("clock_put_back", by_ms=max(by_ms.values()), put_back="times in the future")
    deps.outbox.put_back(by_ms)


def _queue(deps: Deps, queued: Callable[[], int], purge: Callable[[], int]) -> int:
    """Return the length of the queue; report it if it blocks dispatch, and empty the queue if it is flooded."""
    queue = queued()
    if queue > FLOOD * deps.in_flight:
        removed = purge()
        log.error("alarm", alarm="queue", text="the workers' queue was flooded and has been emptied", messages=removed)
        deps.flooded(removed)
        queue = queued()
    deps.backlog(queue if room(1, deps, queue) <= 0 else 0)
    return queue


def room(free: int, deps: Deps, queue: int) -> int:
    """Return how many more messages the queue can take.

    With a rate, no more messages can wait than may be sent at once: after a stall, workers would otherwise send the
    whole backlog in one burst.
    """
    if queue >= deps.in_flight:
        return 0
    return min(free, deps.control.limits.burst - queue) if deps.control.limits.interval_us else free


def _log_sending_state(permits: Permits) -> None:
    match permits.sending_state:
        case "on":
            log.info("sending_resumed")
        case "full":
            log.warning("daily_limit_reached", resumes_when="at 00:00 UTC")
        case "paused":
            log.warning("sending_paused", resumes_when="winback resume, or when the pause ends")
        case "mixed":
            log.error(
                "sending_held", reason="workers disagree on how to send", resumes_when="when all running workers agree"
            )
        case "orders_stopped":
            log.error("sending_held", reason="no orders arrive", resumes_when="when one does, or winback resume")
        case "refused" | "failing":
            log.error("sending_stopped", reason=permits.why, resumes_when="when a probe gets through")
