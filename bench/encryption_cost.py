"""The cost of encryption and of the contact policy in ingest, in an attempt without network and in memory, alternating.

Two comparisons: with and without a key; and with a key and every rule against neither a key nor optional rules.

Processor time is that of this process and the server together. On a busy machine it is more reliable than the clock,
and the least disturbed round is more reliable than the others.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import gmtime, perf_counter, process_time
from typing import cast

from bench.applying import BLOCK, apply, ingest, publish
from bench.shop_log import Logged, shop_log
from detectors.lanes import LANES
from detectors.sequence import RANK_SPAN
from detectors.session_fields import REQUIRED
from state.claims import SilentLane
from state.sessions import Change
from tasks.delivery.attempt import attempt
from tasks.delivery.yuno import Accepted, YunoClient
from tasks.policy.rule_table import RULES
from worker import runtime
from worker.celery_support.task_deps import build_deps
from worker.ingest.consumer import tune_gc
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

KEY = bytes(range(32)).hex()
HOUR_MS = 3_600_000
CART = '[149.99,"COP",[["Wireless Headphones","WH-1000XM5",1,149.99]]]'
Figures = dict[str, float]
Round = Callable[[dict[str, str]], Figures]
Pairs = list[tuple[Figures, Figures]]


class Nobody:
    """A client that accepts everything and sends nothing."""

    def post(self, *_args: object, **_named: object) -> Accepted:
        return Accepted(200)


@contextmanager
def measured(state: runtime.State, number: int, found: Figures) -> Iterator[None]:
    """Measure the time for each of this many (us): by the clock, here and in the server."""
    began = perf_counter(), process_time(), server_time(state)
    yield
    clock, here, there = perf_counter() - began[0], process_time() - began[1], server_time(state) - began[2]
    found |= {"clock, us": clock / number * 1e6, "processor, us": (here + there) / number * 1e6}


def server_time(state: runtime.State) -> float:
    used = state.client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def alternating(measure: Round, less: dict[str, str], more: dict[str, str], rounds: int) -> Pairs:
    """Return measurements with less and with more enabled, one pair per round; the order alternates."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            with_more, with_less = measure(more), measure(less)
        else:
            with_less, with_more = measure(less), measure(more)
        pairs.append((with_less, with_more))
    return pairs


def variants(env: dict[str, str]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return settings without any rule, with every rule, and with every rule and a key."""
    quiet = (gmtime().tm_hour - 5 + 12) % 24  # at the other end of the day in Bogota, where all sample shoppers live
    rules = {
        "WINBACK_CONTACT__QUIET_HOURS": f"{quiet:02d}:00-{quiet + 1:02d}:00",
        "WINBACK_CONTACT__MIN_VALUE": "COP=1",
        "WINBACK_CONTACT__HOLDOUT": "0.000001",
    }
    none = {
        "WINBACK_CONTACT__DISABLED_RULES": ",".join(rule.name for rule in RULES if not rule.always),
        "WINBACK_INGEST__BOT_EVENTS_PER_MINUTE": "off",
    }
    return env | none, env | rules, env | rules | {"WINBACK_ENCRYPTION_KEYS": KEY}


def abandoned(state: runtime.State, number: int) -> Sequence[str]:
    """Create sessions that have been silent for long enough, and dispatch them."""
    state.client.flushall()
    at_ms = state.streams.watermark().now_ms - HOUR_MS
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
                    "email": f"jane.doe{index}@example.com",
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
    now_ms = state.streams.watermark().now_ms
    lanes = [SilentLane(lane.name, now_ms - 1000, 1000, "", measure_from_expiry=False) for lane in LANES]
    assert state.sessions.claim(lanes, max_age_ms=24 * HOUR_MS, required=REQUIRED).outreaches == number
    found = state.outbox.lease_due(number, now_ms=now_ms + 1000, barrier="0-0")
    assert len(found) == number
    return found


def attempts(number: int) -> Round:
    """One attempt: take, policy, build, fence, reserve, settle, and no request. Memory: of the existing data."""

    def measure(env: dict[str, str]) -> Figures:
        settings = load(env)
        state = runtime.open_state(settings)
        deps = replace(build_deps(settings, sends=False), client=cast("YunoClient", Nobody()))
        outreaches = abandoned(state, number)
        keys = [state.keys.session(f"bench-{index}") for index in range(0, number, 50)]
        found = {"session in Redis, bytes": sum(state.client.memory_usage(key) or 0 for key in keys) / len(keys)}
        with measured(state, number, found):
            outcomes = {attempt(outreach, deps).outcome for outreach in outreaches}
        assert outcomes == {"sent"}
        return found

    return measure


def events(log: Sequence[Logged]) -> Round:
    """Ingest of one event, stream to applied."""

    def measure(env: dict[str, str]) -> Figures:
        found: Figures = {}
        settings = load({**env, **BLOCK})
        state = runtime.open_state(settings)
        state.client.flushall()
        state.streams.first.create_group()
        publish(state.client, state.keys.events, (logged.entry for logged in log))
        with measured(state, len(log), found):
            apply(ingest(state, settings), state, len(log))
        return found

    return measure


def measure(rounds: int = 7) -> dict[str, Pairs]:
    """Return pairs of figures by comparison."""
    tune_gc()
    log = shop_log(10_000, 100_000)
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"}
        bare, rules, sealed = variants(env)
        return {
            "encryption, ingest of an event": alternating(events(log), rules, sealed, rounds),
            "encryption, attempt without network": alternating(attempts(2000), rules, sealed, rounds),
            "policy and encryption, ingest of an event": alternating(events(log), bare, sealed, rounds),
            "policy and encryption, attempt without network": alternating(attempts(2000), bare, sealed, rounds),
        }


def ratio(pairs: Pairs, unit: str = "processor, us") -> tuple[float, float, float]:
    """Return the median of the rounds' ratios, the lowest and the highest."""
    ratios = [after[unit] / before[unit] for before, after in pairs]
    return median(ratios), min(ratios), max(ratios)


if __name__ == "__main__":
    for what, pairs in measure().items():
        for unit in pairs[0][0]:
            less, more = (min(figures[unit] for figures in side) for side in zip(*pairs, strict=True))
            middle, least, most = ratio(pairs, unit)
            print(f"{what}, {unit}: {less:,.1f} without, {more:,.1f} with; {middle:.2f} ({least:.2f} to {most:.2f})")
