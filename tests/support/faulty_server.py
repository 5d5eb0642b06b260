"""A server on raw sockets that can misbehave in every way a network can."""

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.wire import IDLE_S, Behaviour, Wire

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class FaultyServer:
    """Plays the given behaviours, one for each connection; the last one also for all further ones."""

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
        """All bytes from all connections."""
        return b"".join(wire.received for wire in self.wires)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """The idempotency key and body of each whole request, over all connections."""
        return [_key_and_body(request) for wire in self.wires for request in wire.requests]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._stopping = True
        # Wakes the accepting thread, which closing the listener doesn't.
        with socket.create_connection(self._listener.getsockname()):
            self._threads[0].join(IDLE_S)
        self._listener.close()
        for wire in self.wires:
            wire.cut()
        for thread in self._threads:
            thread.join(IDLE_S)
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
    """Answer requests in order, over any number of connections; the last answer repeats."""
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
