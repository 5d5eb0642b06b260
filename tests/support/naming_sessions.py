"""Events that name several sessions."""

from typing import Any

from tests.support.events import Event, arrived, event
from worker.ingest.batch import Batch, collect

CART = {"total_value": 3.0, "currency": "COP", "items": [{"name": "A"}]}
AT_MS = 1_747_176_305_000
PHONE, EMAIL = "+573001234567", "jane@example.com"


def order(session: str | None = "paid", **more: Any) -> Event:  # noqa: ANN401 - any field
    return event("order_completed", session, stage=None, **more)


def batch_of(made: Event) -> Batch:
    return collect([arrived(made, AT_MS)])
