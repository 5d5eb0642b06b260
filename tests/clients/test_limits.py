"""Idle connections, huge bodies and gzip bombs don't keep an SDK's events out, and take little memory."""

import gzip
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.clients.programs import CLIENTS, Program, Run
from tests.clients.shoppers import Shopper
from tests.support.collecting import BY_SERVER, CollectorProcess, emptied, streamed
from worker.supervision.embedded_valkey import EmbeddedValkey

MB = 1024 * 1024
HUGE = 100 * MB
IDLE = 100
MOST_GROWTH_MB = 64
BUYER = Shopper("limits", "buys", 1)


@pytest.fixture
def process(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[CollectorProcess]:
    with emptied(valkey.url), CollectorProcess(valkey.url, tmp_path) as found:
        yield found


def memory_mb(process: CollectorProcess) -> float:
    """Return the most memory that a process has had (MB)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def sent_in_pieces() -> Iterator[bytes]:
    piece = b'{"a": "' + b"x" * (MB - 7)
    for _ in range(HUGE // MB):
        yield piece


def answer_to(process: CollectorProcess, body: bytes | Iterator[bytes], **headers: str) -> int | None:
    """Return the status; None if the connection was closed while the body was on its way."""
    connection: HTTPConnection = process.connection()
    try:
        connection.request("POST", "/v1/batch", body, {**BY_SERVER, **headers})
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


def test_huge_bodies_and_bombs_keep_no_sdk_out(
    process: CollectorProcess, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    bomb = gzip.compress(b'{"batch": [' + b" " * HUGE)
    before_mb = memory_mb(process)
    program = Program(
        CLIENTS["segment-python"],
        tmp_path,
        [Run("limits", CLIENTS["segment-python"].code(f"http://127.0.0.1:{process.port}"), [BUYER])],
    )
    with ExitStack() as stack, ThreadPoolExecutor(12) as threads:
        stack.callback(program.end)
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection(("127.0.0.1", process.port)))
        stated = {"content-length": str(HUGE)}
        answers = [threads.submit(answer_to, process, sent_in_pieces(), **stated) for _ in range(4)]
        answers += [threads.submit(answer_to, process, sent_in_pieces()) for _ in range(4)]  # chunked
        answers += [threads.submit(answer_to, process, bomb, **{"content-encoding": "gzip"}) for _ in range(4)]
        statuses = [answer.result() for answer in answers]
        assert program.errors() == {"limits": []}
    assert set(statuses[:8]) <= {413, None}
    assert set(statuses[8:]) == {413}
    assert memory_mb(process) - before_mb < MOST_GROWTH_MB
    assert [event["type"] for event in events(valkey)][-1] == "order_completed"


def events(valkey: EmbeddedValkey) -> list[dict[str, Any]]:
    with Redis.from_url(valkey.url) as client:
        return streamed(client)
