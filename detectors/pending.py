"""Pending: a voucher, PIX, boleto or 3-D Secure payment is under way.

With an expires_at the payment is given up once that moment has passed, and silence is measured from it; without one,
`detection.pending` says how long it may take.
"""

from datetime import timedelta

from detectors.flow import Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.settings import DetectionSettings


def _wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    return idle_wait(settings, stage, platform) if settings.pending is None else settings.pending


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
