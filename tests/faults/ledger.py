"""The API of the faults: the mock API's contract and ledger behind a server that can answer in every bad way.

The ledger's entries happened, even if the answer was lost. The promise is checked against them.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.faulty_server import FaultyServer, http
from tests.support.wire import Wire
from winback.simulation.mock_api.contract import check_body
from winback.simulation.mock_api.headers import Credentials, check_headers, idempotency_key
from winback.simulation.mock_api.ledger import Ledger, RequestEntry
from winback.simulation.mock_api.replies import Outcome

CREDENTIALS = Credentials("public", "private")


@dataclass(frozen=True, slots=True)
class Answer:
    """The API's reaction to one request: whether it contacts the person, and its use of the connection."""

    name: str
    contact: bool
    act: Callable[[Wire], None]
    status: int | None = None
    """As it is recorded; None for an incomplete answer."""

    @property
    def outcome(self) -> Outcome:
        """The mock API's name for it."""
        return "accepted" if self.contact else "forced" if self.status else "dropped"


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the ledger."""

    at: float
    """When it was written (s since the epoch, rounded up to a millisecond)."""
    key: str
    session: str
    phone: str
    stamp: str
    """`abandonment_timestamp`: together with the session it identifies the abandonment."""
    body: str
    status: int | None
    contact: bool
    problems: tuple[str, ...] = ()
    """Breaches of the contract."""


Plan = Callable[[int], Answer]
"""Chooses the answer to a request by the number of requests since the plan was made."""


def reply(status: int, body: bytes = b"", *, contact: bool, **headers: str) -> Answer:
    data = http(status, body, **headers)
    return Answer(str(status), contact, lambda wire: wire.send(data), status)


ACCEPT = reply(200, contact=True)


def refuse(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with an error and contact no person."""
    return reply(status, body, contact=False, **headers)


def always(answer: Answer) -> Plan:
    return lambda _number: answer


def in_turn(*answers: Answer) -> Plan:
    """Give these answers in order, and then always the last one."""
    return lambda number: answers[min(number, len(answers) - 1)]


class LedgerApi:
    """The API; one plan decides about all requests until the next is set."""

    def __init__(self, path: Path) -> None:
        self._ledger = Ledger(path, keep=0)
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
        """Read the ledger back from the file."""
        return [_read(json.loads(line)) for line in self._path.read_text(encoding="utf-8").splitlines()]

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._server.__exit__(kind, e, tb)
        self._ledger.close()

    def _serve(self, wire: Wire) -> None:
        while raw := wire.request():
            self._decide(raw).act(wire)

    def _decide(self, raw: bytes) -> Answer:
        """Record a request before it is answered."""
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        problems = [problem.message for problem in check_headers(headers, CREDENTIALS)]
        headers_ok = not problems
        checked = check_body(body)
        with self._guard:
            answer = self._plan(self._number)
            self._number += 1
            entry = RequestEntry(
                at=ceil(time.time() * 1000) / 1000,
                path=first.split()[1].decode(),
                status=answer.status,
                outcome=answer.outcome,
                key=idempotency_key(headers),
                raw=body,
                headers_ok=headers_ok,
                problems=(*problems, *checked.breaches),
            )
            self._ledger.note(entry, checked.document)
        return answer


def _read(line: dict[str, Any]) -> Request:
    return Request(
        at=datetime.fromisoformat(line["received_at"]).timestamp(),
        key=line["idempotency_key"] or "",
        session=line["body"]["session"]["session_id"],
        phone=line["body"]["customer"]["phone_number"],
        stamp=line["body"]["session"]["abandonment_timestamp"],
        body=line["body_raw"],
        status=line["status"],
        contact=line["outcome"] == "accepted",
        problems=tuple(line["problems"]),
    )
