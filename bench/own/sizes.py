"""What an event costs, and a sweep, with ten thousand to three million sessions waiting.

Two servers: in one there are always ten thousand, made anew for each round; the other is filled from size to size. A
round measures both, one after the other, so that what disturbs the machine disturbs both.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.figures import Figure, Goal, ratio
from bench.ingest import ingested
from bench.own import filling
from bench.own.machine import server_s
from bench.own.running import SECRET, wait_for
from tasks.deps import Deps
from tasks.sweep import sweep
from worker import runtime
from worker.ingest import calm_collector
from worker.settings import load
from worker.valkey import EmbeddedValkey

PART = "own: by the number of waiting sessions"
FEW = 10_000
SIZES = (100_000, 1_000_000, 3_000_000)
HOUR_MS = 3_600_000
MOST_RATIO = Goal("<=", 1.3)
CLAIM_ROUNDS = 3
SINCE_MS = 10_000
"""How long those who wait have been silent at least when their events come."""
_MISSES = "what the size of the data alone does to the server's caches"


@dataclass(slots=True)
class Place:
    """A server, and how many sessions wait in it."""

    env: dict[str, str]
    state: runtime.State
    deps: Deps
    random: Random
    waiting: int = 0

    def fill_up(self, waiting: int) -> None:
        # Before the events that follow, which are of the last second.
        silent_ms = self.state.stream.watermark().now_ms - SINCE_MS
        filling.fill(self.state, range(self.waiting, waiting), silent_ms=silent_ms, random=self.random)
        self.waiting = waiting

    def begin_anew(self, waiting: int) -> None:
        self.state.client.flushall()
        self.state.stream.create_group()
        self.waiting = 0
        self.fill_up(waiting)


@contextmanager
def place() -> Iterator[Place]:
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {**SECRET, "WINBACK_REDIS_URL": server.url}
        settings = load(env)
        state = runtime.open_state(settings)
        state.stream.create_group()
        yield Place(env, state, runtime.build_deps(settings, sends=False), Random(1))


def measure(
    *, quick: bool = False, sizes: Sequence[int] = SIZES, rounds: int = 5, events: int = 30_000, claims: int = 20_000
) -> list[Figure]:
    if quick:
        sizes, rounds, events, claims = (50_000, 100_000), 3, 10_000, 5000
    calm_collector()
    found: list[Figure] = []
    with ExitStack() as stack:
        few, many = stack.enter_context(place()), stack.enter_context(place())
        for size in sizes:
            many.fill_up(size)
            found += _events(few, many, rounds, events)
            found += _sweeps(few, many)
            found += _claims(many, claims, size)
        few.begin_anew(FEW)
        found += _claims(few, claims, FEW)
    return found


def _events(few: Place, many: Place, rounds: int, events: int) -> list[Figure]:
    of_few, of_many, plain, plain_few = [], [], [], []
    for _ in range(rounds):
        few.begin_anew(FEW)
        of_few.append(_event_cost(few, events))
        of_many.append(_event_cost(many, events))
        plain.append(_plain_cost(many, events))
        plain_few.append(_plain_cost(few, events))
    size = f"{many.waiting:,} waiting"
    total, total_few = [sum(pair) for pair in of_many], [sum(pair) for pair in of_few]
    last = MOST_RATIO if many.waiting == max(SIZES) else None
    against = f"{size}, against {FEW:,}"
    return [
        Figure(PART, f"event, server, {size}", tuple(server for server, _ in of_many), "us"),
        Figure(PART, f"event, ingest process, {size}", tuple(client for _, client in of_many), "us"),
        Figure(PART, f"event, server, {FEW:,} waiting (beside {size})", tuple(server for server, _ in of_few), "us"),
        Figure(PART, f"event, ingest process, {FEW:,} waiting (beside {size})", tuple(c for _, c in of_few), "us"),
        ratio(PART, f"plain HMGET of the same keys, server, {against}", plain, plain_few, None, _MISSES),
        ratio(PART, f"event, {against}", total, total_few, last, "processor time, server and process together"),
    ]


def _event_cost(where: Place, events: int) -> tuple[float, float]:
    """Return the processor time (us) of an event, in the server and in the process."""
    filling.publish(where.state, filling.lines(where.waiting, events, where.random))
    where.state.client.set("bench", 1)  # waits for the server
    wait_for(lambda: not where.state.client.info("persistence")["aof_rewrite_in_progress"], 300)
    server, client = server_s(where.state.client), process_time()
    ingested(where.env, where.state, events)
    client, server = process_time() - client, server_s(where.state.client) - server
    assert where.state.client.xlen(where.state.keys.events) == 0
    sessions = sum(where.state.client.zcard(key) for key in where.state.client.scan_iter("*:lane:*", count=10_000))
    assert sessions == where.waiting, f"{sessions} wait, not {where.waiting}"
    return server / events * 1e6, client / events * 1e6


def _plain_cost(where: Place, events: int) -> float:
    """Return the processor time (us) that a server needs to read fields of any of the waiting sessions."""
    chosen = (where.random.randrange(where.waiting) for _ in range(events))
    keys = [where.state.keys.session(filling.session_id(number)) for number in chosen]
    before = server_s(where.state.client)
    for start in range(0, events, filling.CHUNK):
        pipe = where.state.client.pipeline(transaction=False)
        for key in keys[start : start + filling.CHUNK]:
            pipe.hmget(key, "activity", "signal", "purchase", "silent", "state")
        assert all(pipe.execute())
    return (server_s(where.state.client) - before) / events * 1e6


def _sweeps(few: Place, many: Place) -> list[Figure]:
    times: dict[int, list[float]] = {few.waiting: [], many.waiting: []}
    for _ in range(21):
        for where in (few, many):
            filling.forget_the_time(where.state)
            began = perf_counter()
            done = sweep(where.deps)
            times[where.waiting].append((perf_counter() - began) * 1000)
            assert done.sessions == 0, done
    ours, other = times[many.waiting], times[few.waiting]
    of_all = many.waiting == max(SIZES)
    size = f"{many.waiting:,} waiting"
    return [
        Figure(PART, f"empty sweep, {size}", tuple(ours), "ms", Goal("<=", 20) if of_all else None),
        ratio(PART, f"empty sweep, {size}, against {FEW:,}", ours, other, MOST_RATIO if of_all else None),
    ]


def _claims(where: Place, claims: int, size: int) -> list[Figure]:
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(CLAIM_ROUNDS):
        for reachable in (True, False):
            ago = where.state.stream.watermark().now_ms - HOUR_MS
            name = f"{'full' if reachable else 'empty'}-{number}-{size}"
            filling.fill_silent(where.state, name, claims, silent_ms=ago, reachable=reachable)
            began = perf_counter()
            done = sweep(where.deps)
            rates[reachable].append(claims / (perf_counter() - began))
            assert (done.sessions, done.outreaches) == (claims, claims if reachable else 0), done
    return [
        Figure(PART, f"claimed into outreaches, {size:,} waiting", tuple(rates[True]), "/s"),
        Figure(PART, f"claimed as unreachable, {size:,} waiting", tuple(rates[False]), "/s"),
    ]


if __name__ == "__main__":
    from bench.own.show import show

    show(measure)
