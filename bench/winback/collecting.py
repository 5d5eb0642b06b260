"""The collector: events a second over HTTP from one process, compared with an application that only answers.

Rates are by the processor time of the process, in which Redis and the client have no share. On a machine with other
work, compare a time until the answer only with that of the application that only answers, in the same run.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from math import inf
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from redis import Redis

from bench.figures import Figure, Goal, ratio
from bench.processes import memory_bytes, processor_s
from bench.waiting import wait_for
from bench.winback import shop_calls
from bench.winback.filling import lines
from bench.winback.http_client import connected, request_of, send_all
from bench.winback.running import SECRET
from bench.winback.visitors import bytes_of_one
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import free_port

PART = "own: the collector"
KEY = "bench-server-key"
BATCH = 100
LARGE = 700
"""Calls of a large batch: as many as Segment's SDKs send at most, 500 kB."""
IDLE = 5000
REPEATED = 5
_OPTIONS = ("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "error")
_ONE_CALL = request_of(shop_calls.single(), KEY, "/v1/track")
_CALLS = request_of(shop_calls.batch(BATCH), KEY, "/v1/batch")


def measure(*, quick: bool = False, rounds: int = 5) -> list[Figure]:
    found: dict[str, list[float]] = {}
    for _ in range(1 if quick else rounds):
        for name, value in one_round(quick=quick).items():
            found.setdefault(name, []).append(value)
    get = {name: tuple(values) for name, values in found.items()}
    return [
        Figure(PART, "events a second of processor time, batches of 100", get["batch"], "/s", Goal(">=", 25_000)),
        Figure(PART, "the same into the spool, without Redis", get["spool"], "/s"),
        Figure(PART, "Segment's calls a second of processor time, batches of 100", get["calls"], "/s"),
        Figure(PART, "Segment's calls a second of processor time, one by one", get["call"], "/s"),
        Figure(PART, "single events a second of processor time", get["single"], "/s"),
        ratio(PART, "single events, against only reading and answering", get["single"], get["bare"], Goal(">=", 0.6)),
        Figure(PART, "99 % of requests at half load", get["p99"], "ms", Goal("<=", 20)),
        Figure(PART, "99 % of requests at the same load, only reading and answering", get["bare_p99"], "ms"),
        ratio(PART, "99 % of requests at half load, against only reading and answering", get["p99"], get["bare_p99"]),
        Figure(PART, f"99 % of requests while batches of {LARGE} calls arrive", get["mixed"], "ms"),
        Figure(PART, f"memory with {IDLE:,} idle connections", get["idle"], "MB", Goal("<=", 200)),
        Figure(PART, "memory of a visitor", get["visitor"], "B", Goal("<=", 250)),
    ]


def one_round(*, quick: bool) -> dict[str, float]:
    """Return every figure once. What is compared is measured one after the other."""
    found: dict[str, float] = {}
    request, number = request_of(body(1), KEY), 500 if quick else 20_000
    batch, several = request_of(body(BATCH), KEY), number // 20
    with (
        TemporaryDirectory() as directory,
        EmbeddedValkey(Path(directory) / "valkey", port=0) as server,
        ExitStack() as up,
    ):
        found["visitor"] = bytes_of_one(server.url, 500 if quick else 20_000)
        pid, port = up.enter_context(started(Path(directory), server.url))
        bare_pid, bare_port = up.enter_context(started(Path(directory), server.url, is_bare=True))
        redis = up.enter_context(Redis.from_url(server.url))
        found["single"] = rate(pid, port, request, number)
        found["bare"] = rate(bare_pid, bare_port, request, number)
        found["batch"] = BATCH * rate(pid, port, batch, several)
        redis.flushall()
        found["calls"] = BATCH * rate(pid, port, _CALLS, number // 100)
        found["call"] = rate(pid, port, _ONE_CALL, number // 4)
        redis.flushall()
        found["p99"], found["bare_p99"] = p99((port, bare_port), request, number, found["single"] / 2)
        with large_batches(port):
            [found["mixed"]] = p99((port,), request, number // 4, found["single"] / 10)
        redis.flushall()
        found["idle"] = idle_mb(pid, port, 50 if quick else IDLE)
    with TemporaryDirectory() as directory, started(Path(directory), f"redis://127.0.0.1:{free_port()}") as (pid, port):
        found["spool"] = BATCH * rate(pid, port, batch, several)
    return found


def body(events: int) -> bytes:
    return b"[" + b",".join(line.encode() for line in lines(range(events), Random(1))) + b"]"


def rate(pid: int, port: int, request: bytes, number: int) -> float:
    """Return the requests a second of processor time."""
    connections = 16 if len(request) > 10_000 else 128
    send_all(port, request, 100, 16)
    before = processor_s(pid)
    send_all(port, request, number, connections)
    return number / max(0.01, processor_s(pid) - before)


def p99(ports: Sequence[int], request: bytes, number: int, per_second: float) -> list[float]:
    """Return the time (ms) in which 99 % of the requests are answered, for each port.

    The shortest of some runs counts, since other work of the machine only makes it longer.
    """
    found = [inf] * len(ports)
    for _ in range(REPEATED):
        for place, port in enumerate(ports):
            send_all(port, request, 100, 16)
            answered = send_all(port, request, number // REPEATED, 128, per_second=per_second)
            found[place] = min(found[place], answered.percentile(0.99))
    return found


@contextmanager
def large_batches(port: int) -> Iterator[None]:
    """Send large batches from another process, two a second."""
    request = request_of(shop_calls.batch(LARGE), KEY, "/v1/batch")
    sender = get_context("spawn").Process(target=send_all, args=(port, request, 100_000, 1, 2.0), daemon=True)
    sender.start()
    try:
        yield
    finally:
        sender.terminate()
        sender.join()


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
        **SECRET,
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
