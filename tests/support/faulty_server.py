"""A server on raw sockets that can misbehave in every way a network can."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
DRIP_S = 0.05
_IDLE_S = 20.0
"""How long a connection on which nothing happens is kept: longer than any test."""

Behaviour = Callable[["Wire"], None]
"""What the server does with one connection; when it returns, the connection is closed in order."""


class Wire:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(_IDLE_S)
        self.received = b""
        """All that came, as it came."""
        self.requests: list[bytes] = []
        """Each whole request, head and body."""
        self.written = 0
        """How many bytes the server could hand over."""
        self.failure: OSError | None = None
        """Why the handshake or the script ended: TLS errors, and the client's going away."""
        self._read = 0
        self._ended = threading.Event()
        self._cut = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether the server is done with it."""
        return self._ended.is_set()

    def request(self) -> bytes:
        """Read one whole request, head and body; b"" when the client went away instead."""
        while (head := self.received.find(b"\r\n\r\n", self._read)) < 0:
            if not self._more():
                return b""
        lines = self.received[self._read : head].lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        end = head + 4 + length
        while len(self.received) < end:
            if not self._more():
                return b""
        start, self._read = self._read, end
        self.requests.append(self.received[start:end])
        return self.requests[-1]

    def send(self, data: bytes) -> None:
        """Send; raises OSError when the client has gone."""
        view = memoryview(data)
        while view:
            sent = self._sock.send(view)
            self.written += sent
            view = view[sent:]

    def keep(self, seconds: float) -> None:
        """Close the connection once nothing has come for this long."""
        self._sock.settimeout(seconds)

    def drip(self, data: bytes) -> None:
        """Send byte by byte, a pause before each."""
        for place in range(len(data)):
            if self._pause():
                self.send(data[place : place + 1])

    def sip(self, most: int) -> None:
        """Read a few bytes at a time, a pause before each, until the client goes away."""
        while self._pause() and self._more(most):
            pass

    def hang(self) -> None:
        """Say nothing until the client goes away."""
        while self._more():
            pass

    def reset(self) -> None:
        """Close with a reset instead of in order."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close."""
        with suppress(OSError):
            self._sock.close()

    def run(self, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
        """Play a behaviour to its end."""
        try:
            if tls is not None:
                self._sock = tls.wrap_socket(self._sock, server_side=True)
            behaviour(self)
        except OSError as exc:
            self.failure = exc
        finally:
            self.close()
            self._ended.set()

    def cut(self) -> None:
        """End it from another thread."""
        self._cut.set()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _more(self, most: int = 65536) -> bytes:
        data = self._sock.recv(most)
        self.received += data
        return data

    def _pause(self) -> bool:
        # The one wait of a fixed time here: it is the misbehaviour itself.
        return not self._cut.wait(DRIP_S)


class FaultyServer:
    """Plays the given behaviours, one for each connection; the last one also for all further connections."""

    def __init__(
        self,
        *behaviours: Behaviour,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._behaviours = behaviours
        self._tls = tls
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.wires: list[Wire] = []
        """All connections so far, in order."""
        self._threads: list[threading.Thread] = []
        self._stopping = False

    @property
    def url(self) -> str:
        """Address of the operation on this server."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://localhost:{self.port}/ai-caller-ms/recovery-payment/external"

    @property
    def received(self) -> bytes:
        """All that came over all connections."""
        return b"".join(wire.received for wire in self.wires)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Of each whole request, over all connections, the idempotency key and the body."""
        return [_key_and_body(request) for wire in self.wires for request in wire.requests]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._stopping = True
        # Wakes the accepting thread; closing the listener alone would not.
        with socket.create_connection(self._listener.getsockname()):
            self._threads[0].join(_IDLE_S)
        self._listener.close()
        for wire in self.wires:
            wire.cut()
        for thread in self._threads:
            thread.join(_IDLE_S)
            assert not thread.is_alive(), "a connection of the faulty server did not end"

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping:
                sock.close()
                return
            wire = Wire(sock)
            behaviour = self._behaviours[min(len(self.wires), len(self._behaviours) - 1)]
            self.wires.append(wire)
            self._start(wire.run, behaviour, self._tls)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()


def reply(data: bytes = OK, *, times: int = 1_000_000) -> Behaviour:
    """Answer every request on a connection with the same bytes, `times` times."""

    def play(wire: Wire) -> None:
        for _ in range(times):
            if not wire.request():
                return
            wire.send(data)

    return play


def replies(*answers: bytes) -> Behaviour:
    """Answer one request after the other with these, over however many connections; the last one ever after."""
    left = list(answers)

    def play(wire: Wire) -> None:
        while wire.request():
            wire.send(left.pop(0) if len(left) > 1 else left[0])

    return play


def say(data: bytes) -> Behaviour:
    def play(wire: Wire) -> None:
        wire.request()
        wire.send(data)
        wire.hang()

    return play


def drip(data: bytes, *, head: bytes = b"") -> Behaviour:
    def play(wire: Wire) -> None:
        wire.request()
        wire.send(head)
        wire.drip(data)
        wire.hang()

    return play


def flood(piece: bytes, *, head: bytes = b"") -> Behaviour:
    def play(wire: Wire) -> None:
        wire.request()
        wire.send(head)
        while True:
            wire.send(piece)

    return play


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write a reply; header names with `_` for `-`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _key_and_body(request: bytes) -> tuple[str, str]:
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    return headers.get("x-idempotency-key", ""), body.decode()
