"""A client that costs little: prepared requests over kept connections, as many at a time as there are connections."""

import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    answer: bytes = b""
    sent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What a run took."""

    seconds: float
    latencies_ms: Sequence[float]
    """From the shortest to the longest."""

    def percentile(self, share: float) -> float:
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


def request_of(body: bytes, key: str, path: str = "/events") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def send_all(port: int, request: bytes, number: int, connections: int, per_second: float = 0) -> Answered:
    """Send a request this many times; every answer has to be a 200. `per_second`: 0 is as fast as they are answered."""
    selector = selectors.DefaultSelector()
    idle = [_Connection(connected(port)) for _ in range(connections)]
    for each in idle:
        selector.register(each.socket, selectors.EVENT_READ, each)
    began, sent, latencies = perf_counter(), 0, list[float]()
    while len(latencies) < number:
        now = perf_counter()
        due = number if not per_second else min(number, int((now - began) * per_second) + 1)
        while idle and sent < due:
            connection = idle.pop()
            connection.answer, connection.sent_s = b"", perf_counter()
            connection.socket.sendall(request)
            sent += 1
        _receive(selector, 0.001 if per_second else None, idle.append, latencies.append)
    seconds = perf_counter() - began
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return Answered(seconds, sorted(latencies))


def _receive(
    selector: selectors.DefaultSelector,
    wait_s: float | None,
    free: Callable[[_Connection], None],
    note_ms: Callable[[float], None],
) -> None:
    for key, _ in selector.select(wait_s):
        connection: _Connection = key.data
        connection.answer += connection.socket.recv(65536)
        assert connection.answer.startswith(b"HTTP/1.1 200"), connection.answer[:300]
        if connection.answer.endswith(b"}"):
            note_ms((perf_counter() - connection.sent_s) * 1000)
            free(connection)
