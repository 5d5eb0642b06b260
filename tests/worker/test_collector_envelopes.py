"""Winback's own events in Standard Webhooks and CloudEvents, as their senders post them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import BY_PUBLIC, BY_SERVER, EVENT, PUBLIC, collector, emptied, post, sessions, streamed
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(name * 8).decode() for name in (b"old", b"new", b"oth"))
ORDER = {"type": "order.completed", "timestamp": "2026-11-22T16:40:00Z", "data": {"session_id": "cart-1"}}
PATHS = ("/events", "/standard-webhooks")
DECLINED = {"session_id": "cart-1", "type": "payment_declined"}


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    with collector(valkey.url, tmp_path / "spool", standard_webhooks_secrets=[OLD, NEW]) as started:
        yield started


def signed(body: bytes, *secrets: str, ago_s: int = 0) -> dict[str, str]:
    """Return the headers of a webhook, with a signature for each secret."""
    number, stamp = "msg_1", str(int(time.time()) - ago_s)
    message = b".".join((number.encode(), stamp.encode(), body))
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    texts = ["v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode() for key in keys]
    return {"webhook-id": number, "webhook-timestamp": stamp, "webhook-signature": " ".join(texts)}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("secrets", [(OLD,), (NEW,), (OTHER, NEW), (NEW, OLD)])
def test_signed_webhook_is_accepted(redis: Any, found: Collector, path: str, secrets: tuple[str, ...]) -> None:
    body = json.dumps(ORDER).encode()
    assert post(found.app, body, signed(body, *secrets), path=path).status == 200
    (order,) = streamed(redis)
    assert (order["session_id"], order["type"]) == ("cart-1", "order_completed")
    assert order["occurred_at"] == ORDER["timestamp"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("secrets", "ago_s", "other"), [((OTHER,), 0, b""), ((NEW,), 400, b""), ((NEW,), -400, b""), ((NEW,), 0, b" ")]
)
def test_webhook_with_a_wrong_signature_is_refused(
    redis: Any, found: Collector, path: str, *, secrets: tuple[str, ...], ago_s: int, other: bytes
) -> None:
    body = json.dumps(ORDER).encode()
    assert post(found.app, body + other, signed(body, *secrets, ago_s=ago_s), path=path).status == 401
    assert streamed(redis) == []


def test_webhook_with_a_key_can_report_what_the_key_can(redis: Any, found: Collector) -> None:
    body = json.dumps({"data": DECLINED}).encode()
    assert post(found.app, body, signed(body, OTHER) | BY_PUBLIC).status == 200
    assert post(found.app, body, signed(body, OTHER) | BY_SERVER).status == 200
    assert post(found.app, body, signed(body, NEW) | BY_PUBLIC).status == 200
    assert [event["type"] for event in streamed(redis)] == ["activity", "payment_declined", "payment_declined"]
    assert post(found.app, body, signed(body, OTHER) | BY_SERVER, path="/standard-webhooks").status == 401


def test_unreadable_event_of_a_signed_list_reaches_the_stream(redis: Any, found: Collector) -> None:
    body = json.dumps({"data": [EVENT, 7, EVENT]}).encode()
    assert post(found.app, body, signed(body, NEW)).status == 200
    assert [fields[b"event"].strip()[:1] for _, fields in redis.xrange("winback:events")] == [b"{", b"7", b"{"]


CONTEXT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.shop.order_completed"}
BINARY = {f"ce-{name}": value for name, value in CONTEXT.items()} | {"content-type": "application/json"}
DATA = {"session_id": "cart-1"}


@pytest.mark.parametrize("path", ["/events", "/cloudevents"])
@pytest.mark.parametrize(
    ("headers", "body", "number"),
    [
        (BINARY, DATA, 1),
        ({"content-type": "application/cloudevents+json; charset=UTF-8"}, {**CONTEXT, "data": DATA}, 1),
        ({"content-type": "application/cloudevents-batch+json"}, [{**CONTEXT, "data": DATA}] * 3, 3),
        ({"content-type": "application/cloudevents-batch+json"}, [], 0),
    ],
)
def test_cloudevent_of_each_mode_is_accepted(
    redis: Any, found: Collector, path: str, *, headers: dict[str, str], body: object, number: int
) -> None:
    raw = json.dumps(body).encode()
    assert post(found.app, raw, headers, path=path).status == 401
    assert post(found.app, raw, headers | BY_SERVER, path=path).status == 200
    assert post(found.app, raw, headers, path=f"{path}?access_token={PUBLIC}").status == 200
    assert sessions(redis) == ["cart-1"] * number * 2
    assert {event["type"] for event in streamed(redis)} <= {"order_completed"}


@pytest.mark.parametrize("path", ["/events", "/cloudevents"])
def test_sender_of_cloudevents_is_permitted(found: Collector, path: str) -> None:
    asked = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    answer = post(found.app, b"", asked, path=path, method="OPTIONS")
    assert answer.status == 200
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]
