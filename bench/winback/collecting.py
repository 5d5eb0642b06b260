"""The collector: events a second over HTTP from one process, compared with an application that only answers.

Rates are by the processor time of the process, in which Redis and the client have no share.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from redis import Redis

from bench.figures import Figure, Goal, ratio
from bench.processes import memory_bytes, processor_s
from bench.waiting import wait_for
from bench.winback.filling import lines
from bench.winback.http_client import connected, request_of, send_all
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import free_port

PART = "own: the collector"
KEY = "bench-server-key"
BATCH = 100
IDLE = 5000
_OPTIONS = ("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "error")


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    found: dict[str, list[float]] = {}
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        for _ in range(1 if quick else rounds):
            with started(Path(directory), server.url, is_bare=True) as (pid, port):
                found.setdefault("bare", []).append(rate(pid, port, 1, quick=quick))
            with started(Path(directory), server.url) as (pid, port), Redis.from_url(server.url) as redis:
                found.setdefault("single", []).append(rate(pid, port, 1, quick=quick))
                redis.flushall()
                found.setdefault("batch", []).append(BATCH * rate(pid, port, BATCH, quick=quick))
                redis.flushall()
                half = found["single"][-1] / 2
                at_half = send_all(port, request_of(body(1), KEY), 500 if quick else 20_000, 128, per_second=half)
                found.setdefault("p99", []).append(at_half.percentile(0.99))
                redis.flushall()
                found.setdefault("idle", []).append(idle_mb(pid, port, 50 if quick else IDLE))
    return [
        Figure(
            PART, "events a second of processor time, batches of 100", tuple(found["batch"]), "/s", Goal(">=", 25_000)
        ),
        Figure(PART, "single events a second of processor time", tuple(found["single"]), "/s"),
        ratio(
            PART, "single events, against only reading and answering", found["single"], found["bare"], Goal(">=", 0.6)
        ),
        Figure(PART, "99 % of requests at half load", tuple(found["p99"]), "ms", Goal("<=", 20)),
        Figure(PART, f"memory with {IDLE:,} idle connections", tuple(found["idle"]), "MB", Goal("<=", 200)),
    ]


def body(events: int) -> bytes:
    return b"[" + b",".join(line.encode() for line in lines(range(events), Random(1))) + b"]"


def rate(pid: int, port: int, events: int, *, quick: bool) -> float:
    """Return the requests a second of processor time."""
    request, number = request_of(body(events), KEY), 300 if quick else (20_000 if events == 1 else 1000)
    send_all(port, request, 200, 16)
    before = processor_s(pid)
    send_all(port, request, number, 128 if events == 1 else 16)
    return number / max(0.01, processor_s(pid) - before)


def idle_mb(pid: int, port: int, connections: int) -> float:
    with ExitStack() as stack:
        for _ in range(connections):
            stack.enter_context(connected(port))
        return memory_bytes(pid) / 2**20


@contextmanager
def started(directory: Path, redis_url: str, *, is_bare: bool = False) -> Iterator[tuple[int, int]]:
    """Run the collector, or what it is compared with; yield its process and its port."""
    port = free_port()
    env = {
        "WINBACK_REDIS_URL": redis_url,
        "WINBACK_COLLECT__SERVER_KEYS": KEY,
        "WINBACK_COLLECT__PORT": str(port),
        "WINBACK_COLLECT__SPOOL": str(directory / "spool"),
    }
    bare = ["-m", "uvicorn", "bench.winback.bare_app:app", "--port", str(port), *_OPTIONS]
    command = [sys.executable, *(bare if is_bare else ["-m", "winback", "collect"])]
    with subprocess.Popen(command, env={**os.environ, **env}, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(port), 30)
            yield process.pid, port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError), connected(port):
        return True
    return False
