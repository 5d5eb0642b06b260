"""Pending: a voucher, PIX, boleto or 3-D Secure payment is in progress.

With an expires_at, the payment is abandoned at that moment, and silence is measured from it. Without one,
`detection.pending` is the limit.
"""

from datetime import timedelta

from detectors.flow import PLATFORMS, Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.settings import DetectionSettings


def _wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    return idle_wait(settings, stage, platform) if settings.pending is None else settings.pending


def payment_window(settings: DetectionSettings) -> timedelta:
    """Return how long a payment that states no expiry counts as in progress."""
    return max(_wait(settings, "payment", platform) for platform in PLATFORMS)


PENDING = Kind(
    name="pending",
    begins_with="payment_pending",
    setting="pending",
    wait=_wait,
    reason=lambda _stage: "payment_not_completed",
)

LAPSED = Kind(
    name="lapsed",
    begins_with="payment_pending",
    only_if=lambda event: event.expires_at is not None,
    wait=idle_wait,
    reason=lambda _stage: "payment_expired",
    measure_from_expiry=True,
)
