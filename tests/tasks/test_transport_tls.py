"""With TLS: a server without a valid certificate gets nothing to read, and the deadline also holds."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpcore
import httpx
import pytest
import trustme

from tasks.delivery.deadline_transport import DeadlineTransport, TooLateError, deadline
from tasks.delivery.yuno import TryAgain
from tests.support.faulty_server import FaultyServer, http, reply
from tests.support.waiting import eventually
from tests.support.wire import Wire
from tests.support.yuno_requests import LONG_S, client_of, limits, post

SHORT_S = 0.3


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextmanager
def trusting(authority: trustme.CA) -> Iterator[httpx.Client]:
    """A client like the real one that trusts the given authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with httpx.Client(transport=DeadlineTransport(max_connections=2, ssl_context=context), timeout=LONG_S) as client:
        yield client


def test_untrusted_certificate_is_refused_before_the_request(authority: trustme.CA) -> None:
    with (
        FaultyServer(reply(), tls=presenting(authority.issue_cert("localhost"))) as server,
        client_of(server.url) as client,
    ):
        assert post(client) == TryAgain("connect_error")
        eventually(lambda: server.wires and server.wires[0].ended)
        assert isinstance(server.wires[0].failure, OSError)
        assert server.received == b""


def test_server_without_tls_sees_no_request() -> None:
    def answer(wire: Wire) -> None:
        wire.send(http(200))
        wire.hang()

    with FaultyServer(answer) as server:
        endpoint = server.url.replace("http://", "https://")
        with client_of(endpoint) as client:
            assert post(client) == TryAgain("connect_error")
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received[:1] == b"\x16"  # a TLS handshake record
        assert b"POST" not in server.received
        assert b"pk-1" not in server.received


def test_silent_handshake_is_retried_after_the_deadline() -> None:
    with FaultyServer(Wire.hang) as server, client_of(server.url.replace("http://", "https://")) as client:
        begins = time.monotonic()
        assert post(client, limits(SHORT_S)) == TryAgain("connect_timeout")
        assert SHORT_S <= time.monotonic() - begins < SHORT_S + 1


def test_a_valid_certificate_is_accepted(authority: trustme.CA) -> None:
    tls = presenting(authority.issue_cert("localhost"))
    with FaultyServer(reply(http(200, b"{}")), tls=tls) as server, trusting(authority) as client:
        for _ in range(2):
            with deadline(limits()):
                assert client.post(server.url, json={}).status_code == 200
        assert len(server.wires) == 1


@pytest.mark.parametrize(
    ("name", "expires_in", "why"),
    [("localhost", timedelta(days=-1), "expired"), ("example.com", timedelta(days=1), "Hostname mismatch")],
)
def test_expired_or_wrong_name_certificate_is_refused(
    authority: trustme.CA, name: str, expires_in: timedelta, why: str
) -> None:
    now = datetime.now(UTC)
    bad = authority.issue_cert(name, not_before=now - timedelta(days=9), not_after=now + expires_in)
    with FaultyServer(reply(), tls=presenting(bad)) as server, trusting(authority) as client:
        attempt = limits()
        with deadline(attempt), pytest.raises(httpcore.ConnectError, match=why):
            client.post(server.url, json={})
        assert not attempt.started
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received == b""


def test_a_dripping_reply_ends_at_the_deadline(authority: trustme.CA) -> None:
    def drip(wire: Wire) -> None:
        wire.request()
        wire.drip(b"HTTP/1.1 200 OK\r\n" + b"x-slow: y\r\n" * 100)

    tls = presenting(authority.issue_cert("localhost"))
    with FaultyServer(drip, tls=tls) as server, trusting(authority) as client:
        begins = time.monotonic()
        with deadline(limits(SHORT_S)), pytest.raises(httpcore.ReadTimeout):
            client.post(server.url, json={})
        assert SHORT_S <= time.monotonic() - begins < SHORT_S + 1


def test_too_late_sends_nothing_after_the_handshake(authority: trustme.CA) -> None:
    tls = presenting(authority.issue_cert("localhost"))
    with FaultyServer(Wire.hang, reply(), tls=tls) as server, trusting(authority) as client:
        late = limits()
        late.latest_start = time.monotonic()
        with deadline(late), pytest.raises(TooLateError):
            client.post(server.url, json={})
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received == b""
        with deadline(limits()):
            assert client.post(server.url, json={}).status_code == 200
