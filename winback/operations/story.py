"""The parts of stories of sessions and outreaches."""

import re

from detectors.json_values import JsonObject
from tasks.delivery.payload import timestamp

Story = JsonObject
"""JSON data: times are ISO 8601 in UTC, null for never."""


def when(ms: int) -> str | None:
    """Return Unix ms as ISO 8601 in UTC; None for never."""
    return timestamp(ms) if ms else None


def encrypted_under(problem: str) -> str:
    """Return why personal data can't be read, with the setting to change; empty if all of it could be read."""
    found = re.search(r"is encrypted under key ([0-9a-f]{8})", problem)
    return f"encrypted under key {found[1]}: add that key to WINBACK_ENCRYPTION_KEYS" if found else problem
