"""What stories of sessions and outreaches are made of."""

from detectors.json_values import JsonObject
from tasks.delivery.payload import timestamp

Story = JsonObject
"""JSON data: times are ISO 8601 in UTC, null for never."""


def when(ms: int) -> str | None:
    """Return Unix ms as ISO 8601 in UTC; None for never."""
    return timestamp(ms) if ms else None
