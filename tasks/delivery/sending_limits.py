"""The limits on sending, as numbers for the state that all workers share (`state/sending_control.py`). Pure."""

from detectors.lanes import milliseconds
from state.sending_control import Limits
from tasks.delivery.settings import DeliverySettings

LONGEST_PAUSE = 16
"""The longest pause as a multiple of the first, for any failure and any Retry-After."""


def limits_of(delivery: DeliverySettings) -> Limits:
    """Return the limits in numbers. In shadow mode nothing is sent, so there are no limits."""
    live = delivery.mode == "live"
    rate = delivery.rate if live else None
    pause_ms = milliseconds(delivery.breaker_pause)
    return Limits(
        attempt_ms=milliseconds(delivery.lease),
        interval_us=rate.interval_us if rate else 0,
        burst=rate.burst if rate else 1,
        max_per_day=(delivery.max_per_day or 0) if live else 0,
        failures=delivery.breaker_failures or 0,
        pause_ms=pause_ms,
        longest_pause_ms=LONGEST_PAUSE * pause_ms,
    )
