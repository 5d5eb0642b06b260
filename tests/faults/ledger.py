"""A stand-in for the API that writes each request to the disk before it answers, and can answer in every bad way.

What is in the ledger happened, whatever became of the answer: it is what the promise is held against.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.faulty_server import FaultyServer, Wire, http


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API makes of one request: whether it contacts the person, and what it then does with the connection."""

    name: str
    contact: bool
    act: Callable[[Wire], None]


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the ledger."""

    at: float
    """When it was written (s since the epoch)."""
    key: str
    session: str
    phone: str
    stamp: str
    """`abandonment_timestamp`: with the session it names the abandonment."""
    body: str
    answer: str
    contact: bool


Plan = Callable[[int], Answer]
"""Chooses the answer to a request by how many there were before it since the plan was made."""


def reply(data: bytes, *, name: str, contact: bool) -> Answer:
    return Answer(name, contact, lambda wire: wire.send(data))


ACCEPT = reply(http(200), name="200", contact=True)


def refuse(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with an error, and contact nobody."""
    return reply(http(status, body, **headers), name=str(status), contact=False)


def always(answer: Answer) -> Plan:
    return lambda _number: answer


def in_turn(*answers: Answer) -> Plan:
    """Give these answers one after the other, and the last one ever after."""
    return lambda number: answers[min(number, len(answers) - 1)]


class LedgerApi:
    """The API; one plan decides about all requests until another is set."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._path = path
        self._guard = threading.Lock()
        self._plan: Plan = always(ACCEPT)
        self._number = 0
        self._server = FaultyServer(self._serve)

    @property
    def url(self) -> str:
        """The address of the operation."""
        return self._server.url

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    def plan(self, plan: Plan) -> None:
        """Answer by another plan from now on."""
        with self._guard:
            self._plan, self._number = plan, 0

    def requests(self) -> list[Request]:
        """Read the ledger back from the disk."""
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return [Request(**json.loads(line)) for line in lines]

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._server.__exit__(kind, e, tb)
        os.close(self._file)

    def _serve(self, wire: Wire) -> None:
        while raw := wire.request():
            self._decide(raw).act(wire)

    def _decide(self, raw: bytes) -> Answer:
        head, _, body = raw.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
        document: dict[str, Any] = json.loads(body)
        with self._guard:
            answer = self._plan(self._number)
            self._number += 1
            request = Request(
                at=time.time(),
                key=headers["x-idempotency-key"],
                session=document["session"]["session_id"],
                phone=document["customer"]["phone_number"],
                stamp=document["session"]["abandonment_timestamp"],
                body=body.decode(),
                answer=answer.name,
                contact=answer.contact,
            )
            os.write(self._file, json.dumps(asdict(request)).encode() + b"\n")
            os.fsync(self._file)
        return answer
