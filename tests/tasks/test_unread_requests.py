"""Kept connections that the server closes while a request is in flight: a certainly unread one is repeated."""

import socket
import ssl
from functools import partial
from typing import Protocol

import httpx
import pytest
import trustme

from tasks.delivery import deadline_transport, unread_requests
from tasks.delivery.deadline_transport import KEPT_S, DeadlineTransport, UnreadError, deadline
from tasks.delivery.yuno import Accepted, Reply, TryAgain, Undecided
from tests.support.faulty_server import OK, FaultyServer, http, reply
from tests.support.waiting import eventually
from tests.support.wire import Behaviour, Wire
from tests.support.yuno_requests import LONG_S, client_of, limits, post


class Blind(Protocol):
    def __call__(self, *, both: bool) -> None: ...


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Blind:
    """See `blinding`."""
    return blinding(monkeypatch)


def blinding(monkeypatch: pytest.MonkeyPatch) -> Blind:
    """Let a connection look live to the pool, as while the end of its stream is still in transit.

    `both`: it also looks live to the check before the first byte.
    """
    real = deadline_transport._Stream.get_extra_info

    def seem_alive(*, both: bool) -> None:
        monkeypatch.setattr("httpcore._sync.http11.HTTP11Connection.has_expired", lambda _self: False)
        if both:
            monkeypatch.setattr(
                deadline_transport._Stream,
                "get_extra_info",
                lambda self, info: False if info == "is_readable" else real(self, info),
            )

    return seem_alive


def once(then: Behaviour) -> Behaviour:
    """Answer one request on a connection, and then behave differently."""

    def play(wire: Wire) -> None:
        wire.request()
        wire.send(OK)
        then(wire)

    return play


def read_and_close(wire: Wire) -> None:
    wire.request()


def read_and_reset(wire: Wire) -> None:
    wire.request()
    wire.reset()


def reset_unread(wire: Wire) -> None:
    wire._sock.recv(1, socket.MSG_PEEK)
    wire.close()


def half_close(wire: Wire) -> None:
    wire._sock.shutdown(socket.SHUT_WR)
    wire.request()


def second(blind: Blind, server: FaultyServer, *, both: bool, ended: bool) -> Reply:
    """Make a request, and another one on the same connection; return the reply to the second."""
    blind(both=both)
    with client_of(server.url) as client:
        assert post(client) == Accepted(200)
        if ended:
            eventually(lambda: server.wires[0].ended)
        return post(client)


def test_request_on_a_closed_connection_is_surely_unread(blind: Blind) -> None:
    with FaultyServer(once(lambda _: None)) as server:
        assert second(blind, server, both=True, ended=True) == TryAgain("closed_unread")
        assert len(server.requests) == 1


def test_closed_connection_found_before_writing_is_replaced(blind: Blind) -> None:
    with FaultyServer(once(lambda _: None)) as server:
        assert second(blind, server, both=False, ended=True) == Accepted(200)
        assert [len(wire.requests) for wire in server.wires] == [1, 1]


@pytest.mark.parametrize(
    "then",
    [
        read_and_close,
        read_and_reset,
        reset_unread,
        half_close,
    ],
)
def test_request_that_may_have_been_read_is_undecided(blind: Blind, then: Behaviour) -> None:
    with FaultyServer(once(then)) as server:
        assert isinstance(second(blind, server, both=True, ended=False), Undecided)


def waits_for_the_end(monkeypatch: pytest.MonkeyPatch, server: FaultyServer) -> None:
    """Write the body of the second request only after the server has ended the connection."""
    write, heads = deadline_transport._Stream.write, []

    def late(self: deadline_transport._Stream, buffer: bytes, timeout: float | None = None) -> None:
        if buffer.startswith(b"POST"):
            heads.append(buffer)
        elif len(heads) == 2:
            eventually(lambda: server.wires[0].ended)
        write(self, buffer, timeout)

    monkeypatch.setattr(deadline_transport._Stream, "write", late)


def test_reset_that_ends_the_writing_is_no_end_of_the_stream(blind: Blind, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(once(reset_unread)) as server:
        waits_for_the_end(monkeypatch, server)
        assert isinstance(second(blind, server, both=True, ended=False), Undecided)


def test_request_of_which_the_head_was_read_is_undecided(blind: Blind, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_head(wire: Wire) -> None:
        assert wire._sock.recv(65536).startswith(b"POST")

    with FaultyServer(once(read_head)) as server:
        waits_for_the_end(monkeypatch, server)
        assert isinstance(second(blind, server, both=True, ended=False), Undecided)


def test_connection_without_an_earlier_request_proves_nothing() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as sock,
    ):
        assert unread_requests.tcp_state(sock) is not None
        assert unread_requests.before(sock, 0) is None


@pytest.mark.parametrize(
    ("later", "sure"),
    [([(False, 5), (True, 5)], True), ([(False, 5), (False, 9)], False), ([(True, 9)], False), ([(False, 5)], False)],
)
def test_later_tcp_state_counts(
    monkeypatch: pytest.MonkeyPatch,
    later: list[tuple[bool, int]],
    sure: bool,  # noqa: FBT001 - a case
) -> None:
    told = iter(later)
    monkeypatch.setattr(unread_requests, "tcp_state", lambda _: unread_requests.TcpState(*next(told, later[-1])))
    assert (
        unread_requests.is_unread(None, unread_requests.TcpState(is_over=False, acknowledged=5), 1.0, lambda _: None)
        is sure
    )


def test_first_request_of_a_connection_proves_nothing() -> None:
    with FaultyServer(lambda _: None) as server, client_of(server.url) as client:
        assert isinstance(post(client), Undecided)


@pytest.mark.parametrize("tells", [None, b"", bytes(128), bytes(104)])
def test_system_that_does_not_count_proves_nothing(
    blind: Blind, monkeypatch: pytest.MonkeyPatch, tells: bytes | None
) -> None:
    monkeypatch.setattr(unread_requests, "tcp_state", partial(said_of, tells))
    with FaultyServer(once(lambda _: None)) as server:
        assert isinstance(second(blind, server, both=True, ended=True), Undecided)


real_said = unread_requests.tcp_state


class Mute:
    """A socket of a system that imitates Linux."""

    def __init__(self, tells: bytes | None) -> None:
        self._tells = tells

    def getsockopt(self, *_: int) -> bytes:
        if self._tells is None:
            raise OSError
        return self._tells


def said_of(tells: bytes | None, _: object) -> unread_requests.TcpState | None:
    return real_said(Mute(tells))


def test_close_notify_of_tls_is_an_end_like_any_other(blind: Blind) -> None:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(trusting)

    def bid_farewell(wire: Wire) -> None:
        wire._sock.settimeout(0)
        with pytest.raises(ssl.SSLWantReadError):
            wire._sock.unwrap()  # type: ignore[attr-defined]

    blind(both=True)
    transport = DeadlineTransport(max_connections=2, ssl_context=trusting)
    with (
        FaultyServer(once(bid_farewell), tls=serving) as server,
        httpx.Client(transport=transport, timeout=LONG_S) as client,
    ):
        with deadline(limits()):
            assert client.post(server.url).status_code == httpx.codes.OK
        eventually(lambda: server.wires[0].ended)
        with deadline(limits()), pytest.raises(UnreadError):
            client.post(server.url)
        assert len(server.wires[0].requests) == 1


def test_misdirected_request_is_repeated_on_another_connection() -> None:
    with FaultyServer(reply(http(421, b"{}")), reply()) as server, client_of(server.url) as client:
        assert post(client) == TryAgain("http_421")
        assert post(client) == Accepted(200)
        assert [len(wire.requests) for wire in server.wires] == [1, 1]


def test_idle_connection_is_given_up_before_servers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT_S < 2
    with FaultyServer(reply()) as server, client_of(server.url) as client:
        assert post(client) == Accepted(200)
        later = deadline_transport.httpcore._sync.http11.time.monotonic() + KEPT_S  # type: ignore[attr-defined]
        monkeypatch.setattr("httpcore._sync.http11.time.monotonic", lambda: later + 0.1)
        assert post(client) == Accepted(200)
        assert len(server.wires) == 2
