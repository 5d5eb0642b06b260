"""A shop that sends its events over HTTP, and the client's own account of them: which events were answered with 200."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

from tests.faults.collector_hosts import KEY, Host
from tests.faults.shop import Shop, Told, Visit
from tests.faults.system import System

SENDERS = 8
TIMEOUT_S = 2.0
PAUSE_S = 0.1
"""Before an event without a 200 is sent again."""
LATE_S = 0.3
OK, UNAVAILABLE = 200, 503


class Sending(NamedTuple):
    """A request, which can be repeated."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def own(body: bytes) -> Sending:
    """Return a request with an event of Winback's own."""
    return Sending("/events", body, {"authorization": f"Bearer {KEY}"})


class WebShop(Shop):
    """Sends the events of one session one after another, each until it is answered with 200."""

    def __init__(self, system: System, random: Random, prefix: str) -> None:
        super().__init__(system.server.url, random, prefix)
        self.hosts: Sequence[Host] = system.collectors.running
        """Each sending goes to one of them at random, as behind a load balancer."""
        self.answers: dict[int, int] = {}
        """How many sendings got each status; 0 for no answer."""
        self._ended = threading.Event()
        self._open = 0
        self._count = threading.Lock()
        self._queues = [queue.SimpleQueue[tuple[Visit, dict[str, Any], float]]() for _ in range(SENDERS)]
        self._senders = [
            threading.Thread(target=self._send_all, args=(waiting, Random(number)), daemon=True)
            for number, waiting in enumerate(self._queues)
        ]
        for sender in self._senders:
            sender.start()

    @property
    def busy(self) -> bool:
        return super().busy or self._open > 0

    def close(self) -> None:
        super().close()
        self._ended.set()
        for sender in self._senders:
            sender.join(2 * TIMEOUT_S)

    @contextmanager
    def only(self, *hosts: Host) -> Iterator[None]:
        """Send to these collectors for a while."""
        before, self.hosts = self.hosts, hosts
        try:
            yield
        finally:
            self.hosts = before

    def sending_of(self, visit: Visit, event: dict[str, Any]) -> Sending:
        """Return the request that carries an event."""
        del visit
        return own(json.dumps(event).encode())

    def happen(self, visit: Visit, event: dict[str, Any]) -> None:
        """Let something happen now."""
        self._tell_at(time.time(), visit, event)

    def _tell(self, visit: Visit, event: dict[str, Any]) -> None:
        with self._count:
            self._open += 1
        self._queues[crc32(visit.session.encode()) % SENDERS].put((visit, event, time.time()))

    def _send_all(self, waiting: "queue.SimpleQueue[tuple[Visit, dict[str, Any], float]]", random: Random) -> None:
        connections: dict[int, HTTPConnection] = {}
        while not self._ended.is_set():
            try:
                visit, event, due = waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            self._send(visit, event, due, random, connections)
            with self._count:
                self._open -= 1
        for connection in connections.values():
            connection.close()

    def _send(
        self,
        visit: Visit,
        event: dict[str, Any],
        due: float,
        random: Random,
        connections: dict[int, HTTPConnection],
    ) -> None:
        sending = self.sending_of(visit, event)
        while not self._ended.is_set():
            status = post(random.choice(self.hosts).port, sending, connections)
            with self._count:
                self.answers[status] = self.answers.get(status, 0) + 1
            if status == OK:
                now = time.time()
                visit.late += now - due > LATE_S
                visit.told.append(Told(now, 0, "", event["type"], event["occurred_at"], event.get("flow_stage", "")))
                return
            self._ended.wait(PAUSE_S)


def filler(session: str, kilobytes: int = 0) -> Sending:
    """Return an event that leads to nothing, with any size."""
    metadata = {"text": "x" * 1024 * kilobytes}
    return own(json.dumps({"session_id": session, "type": "exit", "engagement": {"metadata": metadata}}).encode())


def post(port: int, sending: Sending, kept: dict[int, HTTPConnection] | None = None) -> int:
    """Send a request, on a kept connection if there is one; return its status, 0 for no answer."""
    connections = {} if kept is None else kept
    connection = connections.setdefault(port, HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S))
    try:
        connection.request("POST", sending.path, sending.body, sending.headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        connection.close()
        return 0
    if kept is None:
        connection.close()
    return answer.status
