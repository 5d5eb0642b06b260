"""What the status of a payment at Yuno means. Reference: the payment's status codes in Yuno's documentation."""

from collections.abc import Mapping
from typing import Literal

Meaning = Literal["started", "pending", "expired", "paid", "declined", "fraud"]

_BY_STATUS: Mapping[str, Meaning] = {
    "CREATED": "started",
    "READY_TO_PAY": "pending",
    "PENDING": "pending",
    "SUCCEEDED": "paid",
    "DECLINED": "declined",
    "REJECTED": "declined",
    "ERROR": "declined",
    "EXPIRED": "expired",
}
_BY_BOTH: Mapping[tuple[str, str], Meaning | None] = {
    ("PENDING", "AUTHORIZED"): "paid",
    ("SUCCEEDED", "PARTIALLY_APPROVED"): "pending",
    ("SUCCEEDED", "PARTIALLY_REFUNDED"): None,
    ("SUCCEEDED", "PARTIALLY_CHARGEBACKED"): None,
    ("SUCCEEDED", "IN_DISPUTE"): None,
    ("DECLINED", "FRAUD_DECLINED"): "fraud",
    ("ERROR", "TIMEOUT"): "pending",
    ("ERROR", "PENDING_REVERSE"): "pending",
    ("ERROR", "REVERSED_BY_TIMEOUT"): "pending",
}


def meaning(status: str, sub_status: str) -> Meaning | None:
    """Return the meaning of a payment's status; None if it isn't about a payment under way, or is unknown."""
    both = (status, sub_status)
    return _BY_BOTH[both] if both in _BY_BOTH else _BY_STATUS.get(status)
