"""What encryption costs in ingest, in an attempt without network and in memory: with and without a key, in turns.

Processor time is that of this process and the server together. On a busy machine it says more than the clock, and the
round that was disturbed least more than the others.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import cast

from bench import ingest
from detectors.lanes import LANES
from detectors.sequence import RANK_SPAN
from state.sessions import Change, SilentLane
from tasks.attempt import attempt
from tasks.record import REQUIRED
from tasks.yuno import Accepted, YunoClient
from worker import runtime
from worker.ingest import calm_collector
from worker.settings import load
from worker.valkey import EmbeddedValkey

KEY = bytes(range(32)).hex()
HOUR_MS = 3_600_000
CART = '[149.99,"COP",[["Wireless Headphones","WH-1000XM5",1,149.99]]]'
Figures = dict[str, float]
Round = Callable[[dict[str, str]], Figures]


class Nobody:
    """A client that accepts everything and sends nothing."""

    def post(self, *_args: object, **_named: object) -> Accepted:
        return Accepted(200)


@contextmanager
def measured(state: runtime.State, number: int, found: Figures) -> Iterator[None]:
    """Measure what passes for each of so many (us): by the clock, here and in the server."""
    began = perf_counter(), process_time(), server_time(state)
    yield
    clock, here, there = perf_counter() - began[0], process_time() - began[1], server_time(state) - began[2]
    found |= {"clock, us": clock / number * 1e6, "processor, us": (here + there) / number * 1e6}


def server_time(state: runtime.State) -> float:
    used = state.client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def alternating(measure: Round, env: dict[str, str], rounds: int) -> list[tuple[Figures, Figures]]:
    """Return what was measured without and with a key, one pair for each round; the order changes with each."""
    pairs = []
    for number in range(rounds):
        with_key = {**env, "WINBACK_ENCRYPTION_KEYS": KEY}
        if number % 2:
            sealed, plain = measure(with_key), measure(env)
        else:
            plain, sealed = measure(env), measure(with_key)
        pairs.append((plain, sealed))
    return pairs


def abandoned(state: runtime.State, number: int) -> Sequence[str]:
    """Put sessions in place that have been silent for long enough, and dispatch them."""
    state.client.flushall()
    at_ms = state.stream.watermark().now_ms - HOUR_MS
    stamp = at_ms * RANK_SPAN + 6
    for start in range(0, number, 1000):
        changes = [
            Change(
                session_id=f"bench-{index}",
                stamp=stamp,
                activity=stamp,
                signal=0,
                purchase=0,
                silent_since_ms=at_ms,
                fields={
                    "name": "Jane Doe",
                    "phone": f"+57300{index:07d}",
                    "email": "jane.doe@example.com",
                    "country": "CO",
                    "language": "es",
                    "consent.call": "true",
                    "consent.whatsapp": "true",
                    "channel": "auto",
                    "meta.utm_campaign": '"spring_sale"',
                    "cart": CART,
                },
            )
            for index in range(start, min(start + 1000, number))
        ]
        state.sessions.apply(changes)
    return dispatched(state, number)


def dispatched(state: runtime.State, number: int) -> Sequence[str]:
    now_ms = state.stream.watermark().now_ms
    lanes = [SilentLane(lane.name, now_ms - 1000, 1000, "", from_silence=False) for lane in LANES]
    assert state.sessions.claim(lanes, max_age_ms=24 * HOUR_MS, required=REQUIRED).outreaches == number
    found = state.outbox.lease_due(number, now_ms=now_ms + 1000, noted="0-0")
    assert len(found) == number
    return found


def attempts(number: int) -> Round:
    """One attempt: take, policy, build, fence, reserve, settle, and no request. Memory: what it finds in place."""

    def measure(env: dict[str, str]) -> Figures:
        settings = load(env)
        state = runtime.open_state(settings)
        deps = replace(runtime.build_deps(settings, sends=False), client=cast("YunoClient", Nobody()))
        outreaches = abandoned(state, number)
        keys = [state.keys.session(f"bench-{index}") for index in range(0, number, 50)]
        found = {"session in Redis, bytes": sum(state.client.memory_usage(key) or 0 for key in keys) / len(keys)}
        with measured(state, number, found):
            outcomes = {attempt(outreach, deps).outcome for outreach in outreaches}
        assert outcomes == {"sent"}
        return found

    return measure


def events(lines: list[str]) -> Round:
    """Ingest of one event, stream to applied."""

    def measure(env: dict[str, str]) -> Figures:
        found: Figures = {}
        state = ingest.filled(env, lines)
        with measured(state, len(lines), found):
            ingest.ingested(env, state, len(lines))
        return found

    return measure


def measure(rounds: int = 7) -> dict[str, list[tuple[Figures, Figures]]]:
    calm_collector()
    lines = [json.dumps(event) for event in ingest.events(100_000)]
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"}
        return {
            "ingest of an event": alternating(events(lines), env, rounds),
            "attempt without network": alternating(attempts(2000), env, rounds),
        }


if __name__ == "__main__":
    for what, pairs in measure().items():
        for unit in pairs[0][0]:
            plain, sealed = (min(figures[unit] for figures in side) for side in zip(*pairs, strict=True))
            ratios = [after[unit] / before[unit] for before, after in pairs]
            spread = f"median of rounds {median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}"
            print(f"{what}, {unit}: {plain:,.1f} plain, {sealed:,.1f} encrypted, ratio {sealed / plain:.2f} ({spread})")
