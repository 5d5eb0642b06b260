"""Requests through the real client, for tests of its replies and of network faults."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tasks.delivery.deadline_transport import Attempt
from tasks.delivery.settings import DeliverySettings
from tasks.delivery.yuno import Reply, YunoClient

NOW = datetime(2025, 5, 13, 22, 45, tzinfo=UTC)
BODY = '{"customer":{"full_name":"José 李"}}'
KEY = "6f1d3f0e-6a7b-4c55-9a6e-0d9f6a2f6f10"
LONG_S = 10.0


@contextmanager
def client_of(endpoint: str, *, connections: int = 4) -> Iterator[YunoClient]:
    settings = DeliverySettings.model_validate(
        {
            "endpoint": endpoint,
            "public_api_key": " pk-1\r\n",
            "private_secret_key": "\tsk 2 ",
            "timeout": timedelta(seconds=LONG_S),
        }
    )
    client = YunoClient(settings, max_connections=connections)
    try:
        yield client
    finally:
        client.close()


def limits(seconds: float = LONG_S) -> Attempt:
    begins = time.monotonic()
    return Attempt(latest_start=begins + LONG_S, ends_at=begins + seconds, clock=time.monotonic)


def post(client: YunoClient, attempt: Attempt | None = None, *, body: str = BODY) -> Reply:
    return client.post(body, KEY, attempt or limits(), now=NOW)
