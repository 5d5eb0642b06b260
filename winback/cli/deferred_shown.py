"""The reasons why outreaches are due later, as `winback status` shows them."""

from collections.abc import Iterator, Sequence

from state.deferred import Deferred, is_sample
from state.overview import Overview
from worker.times import near_time


def deferred_shown(deferred: Sequence[Deferred], overview: Overview, time_zone: str) -> Iterator[str]:
    """Yield a line for each reason: `1 due later: quiet_hours, first at 13:00 UTC`."""
    later = overview.outbox.due - overview.outbox.due_now
    if is_sample(deferred, later) and deferred:
        yield f"{later:,} due later; of the first {sum(each.number for each in deferred):,}:"
    for each in deferred:
        first = near_time(each.first_due_ms, overview.now_ms, time_zone)
        yield f"{each.number:,} due later: {each.reason}, first at {first}"
