"""One request of a webhook: its signatures, and what counts as accepted."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from storefronts.delivery import Delivery
from storefronts.signatures import standard_webhooks
from tasks.outcomes.settings import OutcomeSettings, key_of
from tests.support.faulty_server import FaultyServer, replies
from tests.support.wire import Wire
from worker.webhooks.client import Answer, WebhookClient
from worker.webhooks.signing import headers

OLD, NEW = "whsec_" + "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh", "whsec_" + "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXch"
BODY = '{"type":"outreach.contacted"}'
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def keys(*secrets: str) -> list[bytes]:
    return [key_of(SecretStr(secret)) for secret in secrets]


def verified(signed: dict[str, str], secret: str, body: str = BODY) -> bool:
    return standard_webhooks(Delivery(body.encode(), NOW, signed), [secret]) == "all"


@pytest.mark.parametrize("secrets", [(OLD,), (OLD, NEW)])
def test_receiver_accepts_the_signature_of_each_secret(secrets: tuple[str, ...]) -> None:
    signed = dict(headers("07-1.contacted.1", int(NOW.timestamp()), BODY, keys(*secrets)))
    assert [verified(signed, secret) for secret in (OLD, NEW)] == [True, NEW in secrets]
    assert not verified(signed, OLD, BODY + " ")
    assert len(signed["webhook-signature"].split()) == len(secrets)


def test_signature_is_that_of_the_specification() -> None:
    """The example of Standard Webhooks, computed by its own library."""
    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
        keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def settings(server: FaultyServer, **more: object) -> OutcomeSettings:
    return OutcomeSettings.model_validate({"webhook_url": server.url, "webhook_secrets": OLD, **more})


def answer(raw: bytes) -> Answer:
    def play(wire: Wire) -> None:
        wire.request()
        with suppress(OSError):
            wire.send(raw)

    with FaultyServer(play) as server:
        client = WebhookClient(settings(server), connections=1)
        try:
            return client.post(BODY, {"webhook-id": "1"})
        finally:
            client.close()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_accepted(status: int) -> None:
    found = answer(f"HTTP/1.1 {status} OK\r\ncontent-length: 0\r\n\r\n".encode())
    assert found == Answer(f"http_{status}", accepted=True)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 429, 500, 503])
def test_every_other_status_is_a_failure(status: int) -> None:
    found = answer(f"HTTP/1.1 {status} No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".encode())
    assert found == Answer(f"http_{status}")


def test_gone_ends_the_requests() -> None:
    assert answer(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n") == Answer("http_410", gone=True)


def test_retry_after_is_read() -> None:
    found = answer(b"HTTP/1.1 429 Slow\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n")
    assert found.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize("raw", [b"garbage\r\n\r\n", b"", b"HTTP/1.1 20"])
def test_reply_that_is_no_http_is_a_failure(raw: bytes) -> None:
    found = answer(raw)
    assert not found.accepted
    assert found.why.endswith("_error")


def test_endless_reply_is_accepted_and_not_read() -> None:
    found = answer(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"a" * 200_000)
    assert found.accepted


def test_receiver_that_never_answers_fails_after_the_timeout() -> None:
    with FaultyServer(Wire.hang) as server:
        client = WebhookClient(settings(server, webhook_timeout="200ms"), connections=1)
        assert client.post(BODY, {}).why == "read_timeout"
        client.close()


def test_receiver_that_is_down_is_a_failure() -> None:
    with FaultyServer(replies(b"")) as server:
        made = settings(server)
    client = WebhookClient(made, connections=1)
    assert client.post(BODY, {}).why == "connect_error"
    client.close()


def test_request_has_the_exact_body_and_no_cookie() -> None:
    ok = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
    with FaultyServer(replies(ok, ok)) as server:
        client = WebhookClient(settings(server), connections=1)
        for _ in range(2):
            assert client.post(BODY, {"webhook-id": "1"}).accepted
        client.close()
        received = server.received.decode().lower()
    assert "cookie: a=b\r\n" not in received.replace("set-cookie", "")
    assert received.count(json.dumps(json.loads(BODY), separators=(",", ":"))) == 2
