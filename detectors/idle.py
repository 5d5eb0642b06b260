"""Idle: the shopper stopped without any signal."""

from detectors.kind import Kind, idle_wait

IDLE = Kind(
    name="idle",
    begins_with="activity",
    wait=idle_wait,
    reason=lambda stage: f"user_abandoned_{stage}",
)
