"""One wall-clock deadline for a whole attempt, enforced at the socket.

The timeouts of HTTP clients are per read: a server that sends single bytes slowly keeps a request open indefinitely.
Here every connect, handshake, write and read gets the attempt's remaining time, and the first write checks whether the
attempt can still begin.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local

import certifi
import httpcore
import httpx

from tasks.delivery import unread_requests
from tasks.delivery.resolving import addresses
from tasks.failpoints import reached

Clock = Callable[[], float]
KEPT_S = 1.0
"""How long an idle connection is kept. Servers close theirs after 2 s (gunicorn), 5 s (Node, uvicorn, Apache) or more.

A connection that is kept as long as the server keeps it is often closed while a request is in flight (see
tasks.delivery.unread_requests).
"""
_PIECE = 16 * 1024


class UnreadError(Exception):
    """The server closed the connection, and certainly read nothing of the request."""


class TooLateError(Exception):
    """The attempt didn't send its first byte in time; nothing was sent."""


@dataclass(slots=True)
class Attempt:
    """The time limits of one attempt, on a monotonic clock (s), and its progress."""

    latest_start: float
    ends_at: float
    clock: Clock
    started: bool = False
    """Whether its first byte has been sent."""
    answered: bool = False
    """Whether any byte has been received."""

    def left(self, timeout: float | None) -> float:
        """Return how long the next operation can take (s); raises ReadTimeout or ConnectTimeout after the deadline."""
        left = self.ends_at - self.clock()
        if left <= 0:
            timed_out = httpcore.ReadTimeout if self.started else httpcore.ConnectTimeout
            raise timed_out("the attempt's deadline has passed")
        return left if timeout is None else min(left, timeout)


_current = local()


@contextmanager
def deadline(attempt: Attempt) -> Iterator[None]:
    """Apply an attempt's limits to everything that this thread sends and receives."""
    _current.attempt = attempt
    try:
        yield
    finally:
        del _current.attempt


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._sent = 0
        self._before: unread_requests.TcpState | None = None
        """The TCP state before this request; None if it proves nothing."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        attempt: Attempt = _current.attempt
        if attempt.started and not attempt.answered:
            reached("request_sent")
        data = self._inner.read(max_bytes, attempt.left(timeout))
        if not data and not attempt.answered and self._before is not None:
            within_s = attempt.ends_at - attempt.clock()
            if unread_requests.is_unread(self.get_extra_info("socket"), self._before, within_s):
                raise UnreadError
        attempt.answered = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        attempt: Attempt = _current.attempt
        left = attempt.left(timeout)
        if not attempt.started:
            if attempt.clock() >= attempt.latest_start:
                raise TooLateError
            if self._sent and self.get_extra_info("is_readable"):
                # The server has closed it since the pool's check: write nothing, so that the pool takes another one.
                raise httpcore.ConnectionNotAvailable
            self._before = unread_requests.before(self.get_extra_info("socket"), self._sent)
            attempt.started = True
        # In pieces, because otherwise a slow reader would get the whole remaining time for each part.
        for start in range(0, len(buffer), _PIECE):
            self._write_piece(buffer[start : start + _PIECE], left)
            left = attempt.left(timeout)

    def _write_piece(self, piece: bytes, timeout: float) -> None:
        try:
            self._inner.write(piece, timeout)
        except Exception as exc:
            # The driver keeps reading. After a reset ended the write, the next read returns an end of stream that there
            # wasn't. Only a broken pipe shows that the stream had ended before the reset.
            if not isinstance(exc.__cause__, BrokenPipeError):
                self._before = None
            raise
        self._sent += len(piece)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _current.attempt.left(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, *, private: bool) -> None:
        self._inner = httpcore.SyncBackend()
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        attempt: Attempt = _current.attempt
        # Connect to the checked address: a second lookup could return another one.
        found = addresses(host, port, private=self._private)
        for remaining in range(len(found), 0, -1):
            # The driver would give each address the whole remaining time; here they share it.
            share = attempt.left(timeout) / remaining
            try:
                stream = self._inner.connect_tcp(found[-remaining], port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if remaining == 1:
                    raise
            else:
                return _Stream(stream)
        raise httpcore.ConnectError("the name has no address")


def pinned_ssl_context() -> ssl.SSLContext:
    """Return a context that verifies certificate and name with certifi's authorities.

    Not Python's default context, which writes session keys to the file in SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    return context


class DeadlineTransport(httpx.BaseTransport):
    """An httpx transport that applies the current attempt's limits. HTTP/1.1, no proxy, no retries."""

    def __init__(
        self, *, max_connections: int, ssl_context: ssl.SSLContext | None = None, private: bool = False
    ) -> None:
        context = ssl_context or pinned_ssl_context()
        # Python's default, which the host's openssl.cnf can lower.
        context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEPT_S,
            network_backend=_Backend(private=private),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpcore's own errors, which the caller distinguishes by the bytes sent."""
        attempt: Attempt = _current.attempt
        url, timeouts = request.url, request.extensions.get("timeout", {})
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": {**timeouts, "pool": attempt.left(timeouts.get("pool"))}},
            )
        )
        if not attempt.answered:
            # It was read together with the reply to an earlier request, so it doesn't belong to this one.
            response.extensions["network_stream"].close()
            response.close()
            raise httpcore.RemoteProtocolError("a reply came before its request")
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        if self._response.status == httpx.codes.MISDIRECTED_REQUEST:
            # The request must be repeated on another connection.
            self._response.extensions["network_stream"].close()
        self._response.close()
