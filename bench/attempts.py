"""Attempts per second: the real recover worker against a slow API, compared with bare httpx."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx

from bench.figures import Figure, Goal, ratio
from bench.processes import measured
from bench.waiting import wait_for
from bench.winback import filling
from bench.winback.running import LIVE, Roles, running
from winback.simulation.mock_api.process import MockServer
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: attempts"
LATENCIES_MS = (20, 100, 500)
CONNECTIONS = 32
"""The default size of a pool of processes."""
THREADS = 100
"""The default size of a pool of threads at 100 requests a second, its highest default rate."""
SECONDS = 6
MOST = 400
"""More attempts per second than any worker of this size makes here."""
BODY = b'{"customer":{"full_name":"Jane Doe"}}' * 10
HOUR_MS = 3_600_000
_ALL = "from silence to settled, and as broker"


def measure(*, quick: bool = False, rounds: int = 3, latencies_ms: Sequence[int] = LATENCIES_MS) -> list[Figure]:
    found = []
    with _sending("prefork", CONNECTIONS) as (roles, api):
        for latency in latencies_ms:
            api.control(delay=f"{latency}ms", validation=False)
            number = min(MOST, CONNECTIONS * 1000 // latency) * (2 if quick else SECONDS)
            ours, bare, worker_us, server_us = [], [], [], []
            for place in range(1 if quick else rounds):
                with measured(roles.state.client, roles.running[0].pid) as used:
                    ours.append(_worker(roles, api, f"bench-{latency}-{place}", number))
                worker_us.append(used.client_s / number * 1e6)
                server_us.append(used.server_s / number * 1e6)
                bare.append(_bare(api.endpoint, number))
            name = f"{latency} ms API"
            goal = Goal(">=", 0.8) if latency == 100 else None
            found += [
                Figure(PART, f"{name}, recover worker, prefork {CONNECTIONS}", tuple(ours), "/s"),
                Figure(PART, f"{name}, bare httpx, {CONNECTIONS} threads", tuple(bare), "/s"),
                Figure(PART, f"{name}, worker's processor time of an attempt", tuple(worker_us), "us"),
                Figure(PART, f"{name}, Redis's processor time of an attempt", tuple(server_us), "us", note=_ALL),
                ratio(PART, f"{name}, worker against bare httpx", ours, bare, goal, "one Celery task each"),
            ]
    return [*found, _threads(quick=quick, rounds=rounds)]


def _threads(*, quick: bool, rounds: int) -> Figure:
    """Measure the pool that by default sends at most 100 requests per second, without that rate."""
    number = THREADS * (2 if quick else SECONDS)
    with _sending("threads", THREADS) as (roles, api):
        api.control(delay="100ms", validation=False)
        sent = [_worker(roles, api, f"bench-threads-{place}", number) for place in range(1 if quick else rounds)]
    return Figure(PART, f"100 ms API, recover worker, threads {THREADS}", tuple(sent), "/s", Goal(">=", 100))


@contextmanager
def _sending(pool: str, concurrency: int) -> Iterator[tuple[Roles, MockServer]]:
    """Run the sending roles and the API."""
    with TemporaryDirectory() as directory, ExitStack() as stack:
        server = stack.enter_context(EmbeddedValkey(Path(directory) / "valkey", port=0))
        api = stack.enter_context(MockServer(port=0, validation=False, quiet=True, keep=1))
        env = {
            **LIVE,
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
            "WINBACK_WORKER__POOL": pool,
            "WINBACK_WORKER__CONCURRENCY": str(concurrency),
            "WINBACK_DETECTION__SWEEP_INTERVAL": "1s",
        }
        roles = stack.enter_context(running(env, Path(directory)))
        for name in ("recover", "sweep", "beat"):
            roles.start(name)
        roles.wait()
        yield roles, api


def _worker(roles: Roles, api: MockServer, name: str, number: int) -> float:
    """Return requests per second at the API, of the middle eight tenths."""
    api.forget()
    roles.state.client.flushdb()
    roles.state.streams.first.create_group()
    ago = roles.state.streams.watermark().now_ms - HOUR_MS
    filling.fill_silent(roles.state, name, number, silent_ms=ago, reachable=True)
    first, last = (_after(api, round(number * share)) for share in (0.1, 0.9))
    wait_for(lambda: api.summary()["requests"] >= number)
    summary = api.summary()
    assert (summary["requests"], summary["duplicates"]) == (number, 0), summary
    return (last[1] - first[1]) / (last[0] - first[0])


def _after(api: MockServer, number: int) -> tuple[float, int]:
    wait_for(lambda: api.summary()["requests"] >= number, every_s=0.05)
    return monotonic(), api.summary()["requests"]


def _bare(endpoint: str, number: int) -> float:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    headers = {"content-type": "application/json", "public-api-key": "p", "private-secret-key": "s"}
    with httpx.Client(limits=limits, timeout=30, trust_env=False) as client, ThreadPoolExecutor(CONNECTIONS) as threads:

        def post(index: int) -> None:
            key = f"00000000-0000-4000-8000-{index:012d}"
            client.post(endpoint, content=BODY, headers={**headers, "x-idempotency-key": key}).raise_for_status()

        began = monotonic()
        list(threads.map(post, range(number)))
        return number / (monotonic() - began)


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
