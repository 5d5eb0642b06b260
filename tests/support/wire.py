"""One connection, from the view of a server on raw sockets, with all possible faults of a network."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

DRIP_S = 0.05
IDLE_S = 20.0
"""How long an idle connection is kept: longer than any test."""

Behaviour = Callable[["Wire"], None]
"""The server's behaviour on one connection; when it returns, the connection is closed in order."""


class Wire:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(IDLE_S)
        self.received = b""
        """All received bytes."""
        self.requests: list[bytes] = []
        """Each whole request, head and body."""
        self.written = 0
        """How many bytes the server could send."""
        self.failure: OSError | None = None
        """Why the handshake or the behaviour ended: TLS errors, and disconnects of the client."""
        self._read = 0
        self._ended = threading.Event()
        self._cut = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether the server is done with it."""
        return self._ended.is_set()

    def request(self) -> bytes:
        """Return one whole request, head and body; b"" if the client disconnected instead."""
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
        """Send; raises OSError if the client has disconnected."""
        view = memoryview(data)
        while view:
            sent = self._sock.send(view)
            self.written += sent
            view = view[sent:]

    def keep(self, seconds: float) -> None:
        """Close the connection once nothing has been received for this long."""
        self._sock.settimeout(seconds)

    def drip(self, data: bytes) -> None:
        """Send byte by byte, with a pause before each."""
        for place in range(len(data)):
            if self._pause():
                self.send(data[place : place + 1])

    def sip(self, most: int) -> None:
        """Read a few bytes at a time, with a pause before each, until the client disconnects."""
        while self._pause() and self._more(most):
            pass

    def hang(self) -> None:
        """Send nothing until the client disconnects."""
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
        # The only wait of a fixed time here: it is the misbehaviour itself.
        return not self._cut.wait(DRIP_S)
