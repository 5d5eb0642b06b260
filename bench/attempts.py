"""Attempts a second: the real recover worker against an API that takes 100 ms, beside bare httpx."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx

from detectors.sequence import RANK_SPAN
from state import overview
from state.sessions import Change
from worker import runtime
from worker.mock_api.process import MockServer
from worker.settings import Settings, load
from worker.valkey import EmbeddedValkey

DELAY = "100ms"
BODY = b'{"customer":{"full_name":"Jane Doe"}}' * 10


@contextmanager
def worker(settings_env: dict[str, str], pool: str, concurrency: int) -> Iterator[None]:
    env = {**environ, **settings_env}
    celery = [sys.executable, "-m", "celery", "-A", "worker.app"]
    quiet = ["--without-gossip", "--without-mingle"]
    commands = (
        [*celery, "worker", "-Q", "winback.recover", "-P", pool, "-c", str(concurrency), "-n", "recover@%h", *quiet],
        [*celery, "worker", "-Q", "winback.sweep", "-P", "solo", "-n", "sweep@%h", *quiet],
        [*celery, "beat"],
    )
    running = [subprocess.Popen(c, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for c in commands]
    try:
        yield
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(20)


def abandon(state: runtime.State, number: int) -> None:
    """Put sessions in place that have been silent for long enough, each of another person."""
    now_ms = state.stream.watermark().now_ms - 3_600_000
    for start in range(0, number, 2000):
        state.sessions.apply(
            [
                Change(
                    session_id=f"bench-{index}",
                    stamp=now_ms * RANK_SPAN + 6,
                    activity=now_ms * RANK_SPAN + 6,
                    signal=0,
                    purchase=0,
                    silent_since_ms=now_ms,
                    fields={"name": "Jane Doe", "phone": f"+57300{index:07d}", "country": "CO", "language": "es"},
                )
                for index in range(start, min(start + 2000, number))
            ]
        )


def measure(pool: str, concurrency: int, number: int) -> tuple[float, float]:
    """Return attempts a second of the worker, and of bare httpx with as many connections, in the same run."""
    with (
        TemporaryDirectory() as directory,
        EmbeddedValkey(Path(directory) / "valkey", port=0) as server,
        MockServer(port=0, delay=DELAY, validation=False, quiet=True, keep=1) as api,
    ):
        env = {
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_IDENTITY_SECRET": "bench-bench-bench-bench",
            "WINBACK_CONTACT__QUIET_HOURS": "off",
            "WINBACK_DELIVERY__MODE": "live",
            "WINBACK_DELIVERY__RATE": "off",
            "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
            "WINBACK_DELIVERY__PUBLIC_API_KEY": "public",
            "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
            "WINBACK_WORKER__CONCURRENCY": str(concurrency),
            "WINBACK_DETECTION__SWEEP_INTERVAL": "1s",
        }
        settings: Settings = load(env, config=None)
        state = runtime.open_state(settings)
        with worker(env, pool, concurrency):
            wait_for(lambda: len(overview.read(state.scripts, state.keys, ()).heartbeats["recover"]) > 0)
            abandon(state, number)
            wait_for(lambda: api.summary()["requests"] > number * 0.1)
            began, first = monotonic(), api.summary()["requests"]
            wait_for(lambda: api.summary()["requests"] >= number * 0.9)
            rate = (api.summary()["requests"] - first) / (monotonic() - began)
        return rate, bare(api.endpoint, concurrency, number)


def bare(endpoint: str, connections: int, number: int) -> float:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    headers = {"content-type": "application/json", "public-api-key": "p", "private-secret-key": "s"}
    with httpx.Client(limits=limits, timeout=30, trust_env=False) as client, ThreadPoolExecutor(connections) as threads:

        def post(index: int) -> None:
            key = f"00000000-0000-4000-8000-{index:012d}"
            client.post(endpoint, content=BODY, headers={**headers, "x-idempotency-key": key}).raise_for_status()

        began = monotonic()
        list(threads.map(post, range(number)))
        return number / (monotonic() - began)


def wait_for(condition: Callable[[], bool], within_s: float = 120) -> None:
    deadline = monotonic() + within_s
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError("the bench did not get where it should")
        sleep(0.05)


if __name__ == "__main__":
    pool, concurrency, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ours, httpx_alone = measure(pool, concurrency, number)
    print(f"{pool} {concurrency}: {ours:.0f}/s, bare httpx {httpx_alone:.0f}/s, ratio {ours / httpx_alone:.2f}")
