"""Each request to the collector gets the answer that SDKs and webhooks expect."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import (
    BY_PUBLIC,
    BY_SERVER,
    EVENT,
    PUBLIC,
    SERVER,
    collector,
    emptied,
    post,
    sessions,
    streamed,
)
from tests.support.processes import until
from worker.collector.acceptance import BODIES_MB
from worker.collector.bodies import DRAIN_BYTES
from worker.collector.process import Collector
from worker.collector.settings import MB
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

ONE = json.dumps(EVENT).encode()
BASIC = {"authorization": "Basic c2VydmVyLWtleS0xOg=="}
BASIC_WITHOUT_COLON = {"authorization": "Basic c2VydmVyLWtleS0x"}
TEXT = {**BY_SERVER, "content-type": "text/plain;charset=UTF-8"}
GZIP = {**BY_SERVER, "content-encoding": "gzip"}


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    with collector(valkey.url, tmp_path / "spool", body_limit_mb=1) as started:
        yield started


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ONE, BY_SERVER),
        (ONE, BASIC),
        (ONE, BASIC_WITHOUT_COLON),
        (ONE, TEXT),
        (gzip.compress(ONE, mtime=0), GZIP),
        (gzip.compress(ONE, mtime=0), BY_SERVER),
        (gzip.compress(ONE[:20], mtime=0) + gzip.compress(ONE[20:], mtime=0), GZIP),
        (ONE, GZIP),
        ([ONE[:1], ONE[1:9], b"", ONE[9:]], BY_SERVER),
        (
            [b"", *(gzip.compress(ONE, mtime=0)[place : place + 1] for place in range(len(gzip.compress(ONE))))],
            BY_SERVER,
        ),
        (b"[" + ONE + b"]", BY_SERVER),
        (ONE + b"\n", BY_SERVER),
        (json.dumps({**EVENT, "writeKey": SERVER}).encode(), {}),
    ],
)
def test_event_is_accepted(redis: Any, found: Collector, body: bytes | list[bytes], headers: dict[str, str]) -> None:
    answer = post(found.app, body, headers)
    assert (answer.status, answer.json) == (200, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    assert sessions(redis) == ["cart-1"]


@pytest.mark.parametrize(
    ("start", "between", "end"), [(b"", b"\n\n", b""), (b"[", b",", b"]"), (b"[\r\n", b"\r\n,\n", b"\n]")]
)
@pytest.mark.parametrize("bad", [b"{broken}", b'@{"by":"id"}', b"7", b'"x"'])
def test_unreadable_event_reaches_the_stream(
    redis: Any, found: Collector, bad: bytes, *, start: bytes, between: bytes, end: bytes
) -> None:
    lines = [json.dumps({**EVENT, "session_id": f"s-{number}"}).encode() for number in range(2)]
    body = start + between.join([lines[0], bad, lines[1]]) + end
    assert post(found.app, body).status == 200
    first, kept, second = [fields[b"event"] for _, fields in redis.xrange("winback:events")]
    assert [json.loads(one)["session_id"] for one in (first, second)] == ["s-0", "s-1"]
    assert kept.strip() == bad
    assert post(found.app, body, BY_PUBLIC).status == 200
    assert len(redis.xrange("winback:events")) == 5


def test_entry_is_what_a_producer_writes(redis: Any, found: Collector) -> None:
    given = {**EVENT, "occurred_at": "2026-11-22T16:40:00Z", "cart": {"total_value": 0.1}, "extra": "ñ\n"}
    assert post(found.app, json.dumps(given).encode()).status == 200
    ((_, fields),) = redis.xrange("winback:events")
    assert list(fields) == [b"event"]
    assert json.loads(fields[b"event"]) == given


def test_event_without_a_time_gets_that_of_its_acceptance(redis: Any, found: Collector) -> None:
    before = redis.time()[0]
    until(lambda: found.clock.is_known)
    assert post(found.app, ONE).status == 200
    ((entry, fields),) = redis.xrange("winback:events")
    stamped = json.loads(fields[b"event"])["occurred_at"]
    assert before - 1 <= datetime.fromisoformat(stamped).timestamp() <= int(entry.split(b"-")[0]) / 1000 + 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (ONE, {}, 401, "unauthorized"),
        (ONE, {"authorization": "Bearer server-key-2"}, 401, "unauthorized"),
        (ONE, {"authorization": "Basic !"}, 401, "unauthorized"),
        (ONE, {"authorization": "Basic c2VydmVyLWtleS0"}, 401, "unauthorized"),
        (json.dumps({**EVENT, "writeKey": 7}).encode(), {}, 401, "unauthorized"),
        (b"", BY_SERVER, 400, "unreadable"),
        (b"{", BY_SERVER, 400, "unreadable"),
        (b"7", BY_SERVER, 400, "unreadable"),
        (b"\xff\xfe", BY_SERVER, 400, "unreadable"),
        (b"[" * 100_000, BY_SERVER, 400, "unreadable"),
        (gzip.compress(ONE, mtime=0)[:-9], GZIP, 400, "broken_gzip"),
        (b"\x1f\x8bno gzip", GZIP, 400, "broken_gzip"),
        (ONE, {**BY_SERVER, "content-encoding": "br"}, 415, "unknown_encoding"),
        (b" " * (MB + 1), BY_SERVER, 413, "too_large"),
        (ONE, {**BY_SERVER, "content-length": str(100 * MB)}, 413, "too_large"),
        (b" " * (MB // 8 + 1), BY_PUBLIC, 413, "too_large"),
    ],
)
def test_request_is_refused_with_a_code(
    redis: Any, found: Collector, body: bytes, headers: dict[str, str], *, status: int, code: str
) -> None:
    answer = post(found.app, body, headers)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert isinstance(answer.json["message"], str)
    assert answer.headers["connection"] == "close"
    assert sessions(redis) == []


def test_gzip_bomb_is_refused_within_the_limit(redis: Any, found: Collector) -> None:
    bomb = gzip.compress(bytes(200 * MB), compresslevel=9)
    assert len(bomb) < MB
    assert post(found.app, bomb, GZIP).status == 413
    assert found.acceptance.memory.used == 0
    assert sessions(redis) == []


def test_endless_body_is_read_up_to_a_bound(found: Collector) -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield bytes(65536)

    assert post(found.app, pieces()).status == 413
    assert read <= MB + DRAIN_BYTES + 2 * 65536
    assert found.acceptance.memory.used == 0


def test_bodies_take_bounded_memory_together(found: Collector) -> None:
    found.acceptance.memory.take(BODIES_MB * MB)
    answer = post(found.app, ONE)
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "busy", "1")
    found.acceptance.memory.give_back(BODIES_MB * MB)
    assert post(found.app, ONE).status == 200


@pytest.mark.parametrize(("path", "method", "status"), [("/nothing", "POST", 404), ("/events", "GET", 405)])
def test_unknown_path_or_method_is_refused(found: Collector, path: str, method: str, status: int) -> None:
    assert post(found.app, ONE, path=path, method=method).status == status


def test_browser_of_any_origin_reads_the_answer(found: Collector) -> None:
    page = {"origin": "https://shop.example"}
    asked = post(found.app, b"", {**page, "access-control-request-method": "POST"}, method="OPTIONS")
    assert asked.status == 200
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert {"authorization", "content-type"} <= set(asked.headers["access-control-allow-headers"].split(", "))
    for headers, status in ((BY_PUBLIC, 200), ({}, 401)):
        answer = post(found.app, ONE, {**page, **headers})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "https://shop.example")
        assert "retry-after" in answer.headers["access-control-expose-headers"].split(", ")


def test_browser_can_send_every_header_of_an_sdk(found: Collector) -> None:
    wanted = "anonymousid,authorization,content-type,rsa-retry-attempt,sentat"
    page = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    asked = post(found.app, b"", {**page, "access-control-request-headers": wanted}, method="OPTIONS")
    assert asked.status == 200
    allowed = asked.headers["access-control-allow-headers"].replace(" ", "").split(",")
    assert set(wanted.split(",")) <= set(allowed)


def test_public_key_reports_no_reason_for_a_contact(redis: Any, found: Collector) -> None:
    customer = {"phone_number": "+573001234567", "consent": {"call": True, "whatsapp": False}}
    given = [
        {**EVENT, "customer": customer, "expires_at": "2026-01-01T00:00:00Z"},
        {"session_id": "cart-1", "type": "payment_declined"},
        {"session_id": "cart-1", "type": " Payment-Declined"},
        {"sessionId": "cart-1", "event_type": "payment_declined"},
        {"session_id": "cart-1", "type": "unknown"},
        {"session_id": "cart-1", "type": "order_completed"},
    ]
    assert post(found.app, json.dumps(given).encode(), BY_PUBLIC).status == 200
    first, *declined, unknown, order = streamed(redis)
    assert first["customer"] == {"phone_number": "+573001234567", "consent": {"whatsapp": False}}
    assert "expires_at" not in first
    assert [(event["type"], event["flow_stage"]) for event in declined] == [("activity", "payment")] * 3
    assert (unknown["type"], order["type"]) == ("activity", "order_completed")
    assert post(found.app, json.dumps(given).encode()).status == 200
    assert len(streamed(redis)) == 12


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("given", [{"authorization": f"Bearer {PUBLIC}"}, {"authorization": "Bearer unknown-key"}])
def test_address_that_sends_too_much_has_to_wait(valkey: EmbeddedValkey, tmp_path: Path, given: dict[str, str]) -> None:
    with collector(valkey.url, tmp_path / "spool", rate_per_address=1) as started:
        answers = [post(started.app, ONE, given) for _ in range(11)]
        assert {answer.status for answer in answers[:10]} <= {200, 401}
        assert answers[10].status == 429
        assert int(answers[10].headers["retry-after"]) == 1
        assert answers[10].json["code"] == "too_many_requests"
        assert post(started.app, ONE, given, client="203.0.113.8").status != 429
        assert post(started.app, ONE).status == 200


@pytest.mark.usefixtures("redis")
def test_public_key_that_sends_too_much_has_to_wait(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    with collector(valkey.url, tmp_path / "spool", rate_per_key=1) as started:
        batch = b"[" + b",".join([ONE] * 10) + b"]"
        assert post(started.app, batch, BY_PUBLIC).status == 200
        assert post(started.app, ONE, BY_PUBLIC, client="203.0.113.8").status == 429
        assert post(started.app, batch).status == 200
