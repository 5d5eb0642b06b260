"""What is between a client and the collector: it records requests, and does to them what networks and servers do."""

import gzip
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Literal

from worker.collector.answers import SUCCESS
from worker.collector.cors import origin_headers

Fate = Literal["passed", "unavailable", "limited", "answer_lost", "held"]
STATUS: Mapping[Fate, int] = {"unavailable": 503, "limited": 429}
WAIT_S = "1"
POLL_S = 0.05
"""How long the end of a server takes."""
Place = tuple[str, str]
"""A scenario and a client."""
Headers = list[tuple[str, str]]
_OWN = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True)
class Recorded:
    """One request of a client."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    fate: Fate

    @cached_property
    def calls(self) -> int:
        """How many calls it has."""
        document = json.loads(gzip.decompress(self.body) if self.body.startswith(b"\x1f\x8b") else self.body)
        return len(document["batch"]) if "batch" in document else 1


@dataclass
class Gateway:
    """A running gateway. `fates`: of the first requests; those after them have the last one's."""

    target: int
    fates: tuple[Fate, ...]
    url: str = ""
    requests: list[Recorded] = field(default_factory=list)
    accepted: list[Recorded] = field(default_factory=list)
    """The requests that the collector answered with 200."""
    _lock: Lock = field(default_factory=Lock)

    def record(self, path: str, headers: Mapping[str, str], body: bytes) -> Recorded:
        with self._lock:
            fate = self.fates[min(len(self.requests), len(self.fates) - 1)]
            found = Recorded(path, headers, body, fate)
            self.requests.append(found)
        return found

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Headers, bytes]:
        """Send a request to the collector, and return the answer."""
        connection = HTTPConnection("127.0.0.1", self.target, timeout=30)
        kept = {name: value for name, value in headers.items() if name.lower() not in _OWN}
        connection.request(method, path, body, {**kept, "content-length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return (
            answer.status,
            [(name, value) for name, value in answer.getheaders() if name.lower() not in _OWN],
            content,
        )

    @property
    def calls(self) -> int:
        """How many calls are in all requests."""
        return sum(one.calls for one in self.requests)

    @property
    def accepted_calls(self) -> int:
        return sum(one.calls for one in self.accepted)

    def deliver_twice(self, seed: int) -> int:
        """Send what was held to the collector, everything twice and in any order; return how many."""
        held = [one for one in self.requests if one.fate == "held"] * 2
        random.Random(seed).shuffle(held)
        for one in held:
            status, _, content = self.forward("POST", one.path, one.headers, one.body)
            assert status == 200, content
        return len(held)


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self) -> None:
            self._answer(*gateway.forward("OPTIONS", self.path, dict(self.headers), b""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            given = gateway.record(self.path, dict(self.headers), body)
            origin = {name.lower(): value for name, value in self.headers.items()}
            allowed = [(name.decode(), value.decode()) for name, value in origin_headers(origin)]
            match given.fate:
                case "passed":
                    status, headers, content = gateway.forward("POST", self.path, given.headers, body)
                    if status == HTTPStatus.OK:
                        gateway.accepted.append(given)
                    self._answer(status, headers, content)
                case "answer_lost":
                    gateway.forward("POST", self.path, given.headers, body)
                    self.close_connection = True
                case "held":
                    self._answer(200, allowed, SUCCESS)
                case _:
                    content = json.dumps({"success": False, "code": given.fate, "message": "Later."}).encode()
                    self._answer(STATUS[given.fate], [*allowed, ("retry-after", WAIT_S)], content)

        def _answer(self, status: int, headers: Headers, content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def gateways(target: int, fates: Mapping[Place, tuple[Fate, ...]]) -> Iterator[dict[Place, Gateway]]:
    """Run a gateway to the collector's port for each place."""
    with ExitStack() as stack:
        found = {place: Gateway(target, listed) for place, listed in fates.items()}
        for one in found.values():
            one.url = stack.enter_context(serving(_handler(one)))
        yield found


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run an HTTP server, and yield its address."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # a client can keep its connection

        def handle_error(self, *_: object) -> None:
            pass  # a client is gone

    server = Server(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(POLL_S,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
