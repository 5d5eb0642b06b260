"""Requests to erase or hand out data are kept until they are done, whatever the state of Redis."""

import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import BY_PUBLIC, BY_SERVER, CollectorProcess, collector, emit, emptied, post, streamed
from tests.support.privacy import (
    DATA_REQUEST,
    EMAIL,
    PHONE,
    REDACTION,
    SHOP_REDACTION,
    SHOPIFY_SECRET,
    kept,
    send_shopify,
)
from tests.support.processes import until
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

DELETE = {"type": "delete", "userId": "u-1", "messageId": "m-1"}
KEY = bytes(range(32)).hex()


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    with collector(
        valkey.url, tmp_path / "spool", shopify={"shop-a": [SHOPIFY_SECRET]}, segment_secrets=["secret-of-segment"]
    ) as started:
        yield started


def test_redaction_of_a_customer_is_kept(redis: Any, found: Collector) -> None:
    assert send_shopify(found.app, "customers/redact", REDACTION).status == 200
    (request,) = kept(redis)
    assert (request.kind, request.source, request.shop) == ("erasure", "shopify", "shop-a")
    assert {text for one in request.people for text in one.values()} == {PHONE, EMAIL}
    assert {name.partition(":")[0] for name in request.visitors} == {"user", "alias"}
    assert streamed(redis) == []


@pytest.mark.parametrize(
    ("topic", "document", "kind"),
    [
        ("customers/redact", REDACTION, "erasure"),
        ("customers/data_request", DATA_REQUEST, "data request"),
        ("shop/redact", SHOP_REDACTION, "shop erasure"),
    ],
)
def test_repeated_request_is_kept_once(
    redis: Any, found: Collector, topic: str, document: dict[str, Any], kind: str
) -> None:
    for _ in range(3):
        assert send_shopify(found.app, topic, document).status == 200
    assert [request.kind for request in kept(redis)] == [kind]


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact"])
def test_wrong_signature_makes_no_request(redis: Any, found: Collector, topic: str) -> None:
    for document in (REDACTION, DATA_REQUEST, SHOP_REDACTION):
        assert send_shopify(found.app, topic, document, "secret-of-others").status == 401
    assert kept(redis) == []


def test_public_key_makes_no_request(redis: Any, found: Collector) -> None:
    body = json.dumps({"batch": [DELETE]}).encode()
    assert post(found.app, body, BY_PUBLIC, path="/v1/batch").status == 200
    assert kept(redis) == []


def test_only_the_signed_call_of_a_list_makes_a_request(redis: Any, found: Collector) -> None:
    first, second = (json.dumps({**DELETE, "messageId": f"m-{number}"}).encode() for number in (1, 2))
    headers = {"x-signature": hmac.digest(b"secret-of-segment", first, "sha1").hex()}
    for _ in range(2):
        assert post(found.app, b"[" + first + b"," + second + b"]", headers, path="/segment-webhook").status == 200
    assert len(kept(redis)) == 1


def test_deletions_of_a_batch_are_kept_with_its_events(redis: Any, found: Collector) -> None:
    event = {"type": "track", "anonymousId": "a-1", "event": "Cart Viewed", "properties": {"cart_id": "c-1"}}
    body = json.dumps({"batch": [DELETE, event, {**DELETE, "userId": "u-2", "messageId": "m-2"}]}).encode()
    assert post(found.app, body, BY_SERVER, path="/v1/batch").status == 200
    assert [request.people for request in kept(redis)] == [(), ()]
    assert len(streamed(redis)) == 1


def test_requests_without_an_id_of_their_own_all_count(redis: Any, found: Collector) -> None:
    for user in ("u-1", "u-2"):
        body = json.dumps({"type": "delete", "userId": user}).encode()
        assert post(found.app, body, BY_SERVER, path="/v1/track").status == 200
    assert len(kept(redis)) == 2


def test_request_is_stored_without_readable_ids(redis: Any, found: Collector) -> None:
    post(found.app, json.dumps({**DELETE, "userId": "jane-7"}).encode(), BY_SERVER, path="/v1/track")
    (key,) = redis.keys("*request:*")
    assert b"jane-7" not in b"".join([key, *redis.hgetall(key).values()])


def test_too_many_open_requests_are_refused(
    redis: Any, valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.collector.stream_access.MOST_OPEN", 1)
    with collector(valkey.url, tmp_path / "spool", shopify={"shop-a": [SHOPIFY_SECRET]}) as started:
        assert send_shopify(started.app, "shop/redact", SHOP_REDACTION).status == 200
        until(lambda: send_shopify(started.app, "customers/redact", REDACTION).status == 503, 10)
        assert emit_event(started) == 200
        redis.flushall()
        until(lambda: send_shopify(started.app, "customers/redact", REDACTION).status == 200, 10)


def emit_event(started: Collector) -> int:
    event = {"session_id": "s-1", "type": "activity", "flow_stage": "checkout", "platform": "web"}
    return post(started.app, json.dumps(event).encode()).status


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, which it can stop."""
    with EmbeddedValkey(tmp_path / "valkey", port=0) as started:
        yield started


@pytest.mark.e2e
def test_request_during_an_outage_is_spooled_and_kept(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    process = CollectorProcess(redis_server.url, tmp_path, WINBACK_ENCRYPTION_KEYS=KEY)
    process.start()
    redis_server.kill()
    call = {**DELETE, "context": {"traits": {"phone": PHONE}}}
    assert emit(process.connection(), call, "/v1/track") == 200
    assert emit(process.connection(), call, "/v1/track") == 200
    assert PHONE.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "spool").glob("*.events"))
    process.kill()
    redis_server.start()
    process.start()
    with emptied_after(redis_server) as client:
        until(lambda: kept(client))
        until(lambda: not list((tmp_path / "spool").glob("*.events")))
        (request,) = kept(client)
        assert request.unreadable  # without the key
        assert PHONE.encode() not in b"".join(client.hgetall(client.keys("*request:*")[0]).values())
    assert process.stop() == 0
    log = process.log
    assert log.count("erasure_requested") == 1
    assert PHONE not in log


def emptied_after(server: EmbeddedValkey) -> Any:
    from contextlib import closing

    from redis import Redis

    return closing(Redis.from_url(server.url))
