"""Only the server: redis-benchmark, written in C, sends the plain commands in pipelines. The physical limit."""

import re
import subprocess
from collections.abc import Sequence
from time import perf_counter

from bench.alternatives.measure import emptied, used_bytes
from bench.alternatives.workload import Cost
from bench.processes import processor_s
from bench.shop_log import SESSIONS
from worker.supervision.embedded_valkey import EmbeddedValkey

PROGRAM = "redis-benchmark"
AT = "2026-11-26T07:00:00.000+00:00"


def cost(server: EmbeddedValkey, number: int, sessions: int = SESSIONS) -> Cost:
    """Send both commands this many times, one after the other, because it can only send one.

    An event is one of each.
    """
    client = emptied(server)
    pid = server.pid
    assert pid is not None
    before, server_s, began = used_bytes(client), processor_s(pid), perf_counter()
    seconds = 0.0
    for command in (
        ["hset", "session:sess___rand_int__", "stage", "product_selection", "at", AT],
        ["zadd", "idle", "1764140000.123", "sess___rand_int__"],
    ):
        seconds += number / _rate(server, number, sessions, command)
    server_s = processor_s(pid) - server_s
    assert perf_counter() - began >= seconds * 0.9
    return Cost(
        rate=number / seconds,
        client_us=0.0,
        server_us=server_s / number * 1e6,
        session_bytes=(used_bytes(client) - before) / client.zcard("idle"),
    )


def _rate(server: EmbeddedValkey, number: int, sessions: int, command: Sequence[str]) -> float:
    port = server.url.rpartition(":")[2].partition("/")[0]
    argv = [PROGRAM, "-p", port, "-q", "-c", "4", "-P", "250", "-n", str(number), "-r", str(sessions), *command]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"([\d.]+) requests per second", said)
    assert found, said
    return float(found[-1])
