"""Network failures on the way to Yuno: before the first byte the request is repeated, later its result is unknown."""

import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest

from tasks.delivery.addresses import address_block_reason
from tasks.delivery.deadline_transport import Attempt
from tasks.delivery.yuno import Accepted, Reply, TryAgain, Unauthorised, Undecided
from tests.support.faulty_server import FaultyServer, drip, flood, reply, say
from tests.support.waiting import eventually
from tests.support.wire import Behaviour, Wire
from tests.support.yuno_requests import LONG_S, client_of, limits, post

SHORT_S = 0.3
MB = 1024 * 1024


@contextmanager
def ends_within(least_s: float, most_s: float) -> Iterator[None]:
    begins = time.monotonic()
    yield
    assert least_s <= time.monotonic() - begins < most_s


@contextmanager
def black_hole(host: str = "127.0.0.1", at: int = 0) -> Iterator[int]:
    """A port of this machine that never answers a connection: its queue is full, and no process accepts from it."""
    listener, waiting = socket.socket(), [socket.socket() for _ in range(8)]
    with ExitStack() as stack:
        for one in (listener, *waiting):
            stack.enter_context(closing(one))
        listener.bind((host, at))
        listener.listen(0)
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003 - the socket's own signature
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# Nothing was sent.


def test_a_refused_connection_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with client_of(f"http://127.0.0.1:{unused.getsockname()[1]}/") as client:
            assert post(client) == TryAgain("connect_error")


@pytest.mark.parametrize("host", ["winback.invalid", "x" * 64 + ".invalid"])
def test_a_name_that_cannot_be_resolved_is_tried_again(host: str) -> None:
    with client_of(f"https://{host}/external") as client:
        assert post(client) == TryAgain("connect_error")


def test_connection_not_accepted_is_retried_after_the_deadline() -> None:
    with black_hole() as port, client_of(f"http://127.0.0.1:{port}/") as client, ends_within(SHORT_S, SHORT_S + 1):
        assert post(client, limits(SHORT_S)) == TryAgain("connect_timeout")


def resolved_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Resolve `localhost` to these addresses."""
    really = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own signature
        if host != "localhost":
            return really(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_all_addresses_of_a_name_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other spellings of 127.0.0.1: different addresses for the client.
    hosts = [f"127.0.0.{number}" for number in range(1, 5)]
    resolved_to(monkeypatch, *hosts)
    with ExitStack() as holes:
        port = holes.enter_context(black_hole())
        for host in hosts[1:]:
            holes.enter_context(black_hole(host, port))
        client = holes.enter_context(client_of(f"http://localhost:{port}/"))
        holes.enter_context(ends_within(SHORT_S, SHORT_S + 0.5))
        assert post(client, limits(SHORT_S)) == TryAgain("connect_timeout")


def test_a_dead_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with FaultyServer(reply()) as server, client_of(server.url) as client:
        assert post(client) == Accepted(200)


def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with FaultyServer(reply()) as server, black_hole("127.0.0.2", server.port), client_of(server.url) as client:
        assert post(client, limits(4 * SHORT_S)) == Accepted(200)


def test_metadata_service_is_refused_among_private_addresses() -> None:
    assert address_block_reason("fd00:ec2::253", private=True) is None
    assert address_block_reason("fd00:ec2::254", private=True) == "private"


def test_late_attempt_sends_no_byte_and_keeps_the_client_usable() -> None:
    with FaultyServer(Wire.hang, reply()) as server, client_of(server.url) as client:
        late = Attempt(latest_start=time.monotonic() - 0.001, ends_at=time.monotonic() + LONG_S, clock=time.monotonic)
        assert post(client, late) == TryAgain("too_late", counted=False)
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received == b""
        assert not late.started
        assert post(client) == Accepted(200)


def test_too_late_sends_not_one_byte_on_a_kept_connection_either() -> None:
    with FaultyServer(reply()) as server, client_of(server.url) as client:
        assert post(client) == Accepted(200)
        before = server.received
        late = Attempt(latest_start=time.monotonic() - 0.001, ends_at=time.monotonic() + LONG_S, clock=time.monotonic)
        assert post(client, late) == TryAgain("too_late", counted=False)
        eventually(lambda: server.wires[0].ended)
        assert server.received == before
        assert post(client) == Accepted(200)


@pytest.mark.parametrize(
    ("latest_s", "ends_s", "expected"),
    [(60, 9999, TryAgain("too_late", counted=False)), (9999, 60, TryAgain("connect_timeout"))],
)
def test_stall_before_the_first_byte_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, latest_s: float, ends_s: float, expected: Reply
) -> None:
    really, clock = socket.create_connection, [0.0]

    def connect_and_stall(*args: Any, **kwargs: Any) -> socket.socket:  # noqa: ANN401 - the library's own signature
        connected = really(*args, **kwargs)
        clock[0] = 1000.0
        return connected

    with FaultyServer(Wire.hang) as server, client_of(server.url) as client:
        monkeypatch.setattr(socket, "create_connection", connect_and_stall)
        attempt = Attempt(latest_start=latest_s, ends_at=ends_s, clock=lambda: clock[0])
        assert post(client, attempt) == expected
        monkeypatch.undo()
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received == b""


# Something was sent.


def take(wire: Wire) -> None:
    wire.request()


def reset(wire: Wire) -> None:
    wire.request()
    wire.reset()


def close_unread(_: Wire) -> None:
    pass


@pytest.mark.parametrize(
    ("behaviour", "reasons"),
    [
        (close_unread, {"remote_protocol_error", "read_error", "write_error"}),
        (take, {"remote_protocol_error"}),
        (reset, {"read_error"}),
        (say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), {"remote_protocol_error"}),
        (flood(b"x-more: and more\r\n", head=b"HTTP/1.1 200 OK\r\n"), {"remote_protocol_error"}),
    ],
    ids=["closed unread", "closed", "reset", "not http", "endless headers"],
)
def test_a_connection_lost_after_sending_leaves_it_undecided(behaviour: Behaviour, reasons: set[str]) -> None:
    with FaultyServer(behaviour, reply()) as server, client_of(server.url) as client:
        lost = post(client)
        assert isinstance(lost, Undecided)
        assert lost.why in reasons
        assert post(client) == Accepted(200)


def head(status: int, length: int = 1000) -> bytes:
    return b"HTTP/1.1 %d Whatever\r\ncontent-length: %d\r\n\r\n" % (status, length)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (say(b""), Undecided("read_timeout")),
        (drip(b"HTTP/1.1 200 OK\r\n" + b"x-slow: y\r\n" * 100), Undecided("read_timeout")),
        (drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), Undecided("read_timeout")),
        (drip(b"z" * 1000, head=head(200)), Accepted(200)),
        (drip(b"z" * 1000, head=head(500)), TryAgain("http_500")),
        (drip(b"z" * 1000, head=head(401)), Unauthorised("http_401")),
        (drip(b"z" * 1000, head=head(400)), Undecided("http_400.reply_lost")),
        (drip(b"1\r\nz\r\n" * 1000, head=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), Accepted(200)),
    ],
    ids=["silence", "headers", "100", "body 200", "body 500", "body 401", "body 400", "chunks"],
)
def test_however_a_server_drips_the_attempt_ends_at_its_deadline(behaviour: Behaviour, expected: Reply) -> None:
    with FaultyServer(behaviour, reply()) as server, client_of(server.url) as client:
        with ends_within(SHORT_S, SHORT_S + 1):
            assert post(client, limits(SHORT_S)) == expected
        eventually(lambda: server.wires[0].ended)
        assert post(client) == Accepted(200)


@pytest.mark.parametrize("at_a_time", [1, MB])
def test_slow_reader_does_not_stretch_the_deadline(at_a_time: int) -> None:
    body = "x" * 24 * MB  # more than the sockets' buffers hold
    with (
        FaultyServer(lambda wire: wire.sip(at_a_time)) as server,
        client_of(server.url) as client,
        ends_within(SHORT_S, SHORT_S + 1),
    ):
        assert isinstance(post(client, limits(SHORT_S), body=body), Undecided)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_endless_reply_is_cut_off_and_fills_no_memory(status: int) -> None:
    piece = b"x" * 65_536
    endless = flood(piece, head=head(status, 1_000_000_000))
    with FaultyServer(endless, reply()) as server, client_of(server.url) as client:
        tracemalloc.start()
        post(client)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        eventually(lambda: server.wires[0].ended)
        assert server.wires[0].written < 32 * MB  # what the sockets' buffers hold
        assert peak < 2 * MB
        assert post(client) == Accepted(200)
