"""Declined: a payment was refused and not repeated.

With `detection.declined` off, no shopper is contacted after a refused payment, because Yuno's own recovery of declined
payments might already be calling.
"""

from datetime import timedelta

from detectors.flow import Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.settings import DetectionSettings


def _wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    return idle_wait(settings, stage, platform) if settings.declined is None else settings.declined


DECLINED = Kind(
    name="declined",
    begins_with="payment_declined",
    setting="declined",
    wait=_wait,
    reason=lambda _stage: "payment_declined",
    suppress_reason=lambda settings: "declined_off" if settings.declined is None else None,
    suppress_meanings={"declined_off": "a payment was declined, and detection.declined is off"},
)
