"""The names of outcomes in the feed."""

from collections.abc import Mapping
from typing import Literal

OutcomeName = Literal["contacted", "unknown", "suppressed", "cancelled", "expired", "failed", "recovered"]
NAMES: Mapping[str, OutcomeName] = {
    "sent": "contacted",
    "unknown": "unknown",
    "suppressed": "suppressed",
    "cancelled": "cancelled",
    "expired": "expired",
    "dead": "failed",
    "recovered": "recovered",
}
"""Kind of an outcome in Redis → its name in the feed."""
