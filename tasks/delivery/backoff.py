"""The wait before the next attempt. Pure."""

from datetime import timedelta
from random import Random

LONGEST_RETRY_AFTER = timedelta(hours=24)
"""The longest Retry-After that is followed: after it, the abandonment is too old anyway."""


def delay(
    attempt: int, *, base: timedelta, cap: timedelta, random: Random, retry_after: timedelta | None = None
) -> timedelta:
    """Return how long to wait after the `attempt`th attempt (from 1): exponential, capped, with full jitter.

    Never shorter than `retry_after` (bounded by LONGEST_RETRY_AFTER; negative values are ignored). Full jitter spreads
    clients that failed together best: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # In floats, and bounded: a timedelta overflows after some forty doublings, a float after a thousand.
    grown = base.total_seconds() * 2.0 ** min(attempt - 1, 63)
    jittered = timedelta(seconds=random.uniform(0, min(cap.total_seconds(), grown)))
    asked = min(max(retry_after or timedelta(0), timedelta(0)), LONGEST_RETRY_AFTER)
    return max(jittered, asked)
