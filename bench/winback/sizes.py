"""The cost of an event, and of a sweep, with ten thousand to three million sessions waiting.

Two servers: one always has ten thousand, created again for each round; the other is filled from size to size. A round
measures both, one after the other, so that disturbances of the machine affect both.

Every session with an event in a round has had one before, but not recently. A session's first event costs more,
whatever the number of waiting sessions, and with few sessions hardly any would be a first. With many, none of it is
still in a cache, as in a shop where a minute passes between two events of a shopper.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from time import perf_counter

from bench.figures import Figure, Goal, ratio
from bench.processes import server_s
from bench.winback.filling import CHUNK, fill_silent, forget_the_time, session_id
from bench.winback.place import Place, place
from tasks.sweep import sweep
from worker.ingest.consumer import tune_gc

PART = "own: by the number of waiting sessions"
FEW = 10_000
SIZES = (100_000, 1_000_000, 3_000_000)
HOUR_MS = 3_600_000
MOST_RATIO = Goal("<=", 1.3)
CLAIM_ROUNDS = 3
_MISSES = "the effect of only the data's size on the server's caches"


def measure(
    *, quick: bool = False, sizes: Sequence[int] = SIZES, rounds: int = 5, events: int = 20_000, claims: int = 20_000
) -> list[Figure]:
    if quick:
        sizes, rounds, events, claims = (50_000, 100_000), 3, 10_000, 5000
    tune_gc()
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
    chosen = many.random.sample(range(many.waiting), events * rounds)
    many.apply(chosen)
    for number in range(rounds):
        few.begin_anew(FEW)
        few.apply(range(FEW))
        of_few.append(few.apply(few.random.choices(range(FEW), k=events)))
        of_many.append(many.apply(chosen[number * events : (number + 1) * events]))
        plain.append(_plain_cost(many, events))
        plain_few.append(_plain_cost(few, events))
    size = f"{many.waiting:,} waiting"
    total, total_few = [sum(pair) for pair in of_many], [sum(pair) for pair in of_few]
    last = MOST_RATIO if many.waiting == max(SIZES) else None
    against = f"{size}, against {FEW:,}"
    return [
        Figure(PART, f"event, server, {size}", tuple(server for server, _ in of_many), "us"),
        Figure(PART, f"event, ingest process, {size}", tuple(client for _, client in of_many), "us"),
        Figure(PART, f"event, server, {FEW:,} waiting (next to {size})", tuple(server for server, _ in of_few), "us"),
        Figure(PART, f"event, ingest process, {FEW:,} waiting (next to {size})", tuple(c for _, c in of_few), "us"),
        Figure(PART, f"plain HMGET of the same keys, server, {size}", tuple(plain), "us", note=_MISSES),
        ratio(PART, f"plain HMGET of the same keys, server, {against}", plain, plain_few, None, _MISSES),
        ratio(PART, f"event, {against}", total, total_few, last, "processor time, server and process together"),
    ]


def _plain_cost(where: Place, number: int) -> float:
    """Return the processor time (us) that a server needs to read fields of random waiting sessions."""
    keys = [where.state.keys.session(session_id(where.random.randrange(where.waiting))) for _ in range(number)]
    before = server_s(where.state.client)
    for start in range(0, number, CHUNK):
        pipe = where.state.client.pipeline(transaction=False)
        for key in keys[start : start + CHUNK]:
            pipe.hmget(key, "activity", "signal", "purchase", "silent", "state")
        assert all(pipe.execute())
    return (server_s(where.state.client) - before) / number * 1e6


def _sweeps(few: Place, many: Place) -> list[Figure]:
    times: dict[int, list[float]] = {few.waiting: [], many.waiting: []}
    for _ in range(21):
        for where in (few, many):
            forget_the_time(where.state)
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
            ago = where.state.streams.watermark().now_ms - HOUR_MS
            name = f"{'full' if reachable else 'empty'}-{number}-{size}"
            fill_silent(where.state, name, claims, silent_ms=ago, reachable=reachable)
            began = perf_counter()
            done = sweep(where.deps)
            rates[reachable].append(claims / (perf_counter() - began))
            assert (done.sessions, done.outreaches) == (claims, claims if reachable else 0), done
    return [
        Figure(PART, f"claimed into outreaches, {size:,} waiting", tuple(rates[True]), "/s"),
        Figure(PART, f"claimed as unreachable, {size:,} waiting", tuple(rates[False]), "/s"),
    ]


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
