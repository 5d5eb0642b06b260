"""The benches that return figures of their own shape, in the one that all share."""

from bench import attempts, ingest, memory, sweep
from bench.figures import Figure, Goal, ratio
from bench.progress import say


def measure(*, quick: bool = False) -> list[Figure]:
    say("ingest")
    rounds = ingest.measure(20_000, 1) if quick else ingest.measure()
    ours, plain = [ours for ours, _ in rounds], [plain for _, plain in rounds]
    found = [
        Figure("ingest", "ingest", tuple(ours), "events/s"),
        Figure("ingest", "plain pipelined HSET+ZADD", tuple(plain), "events/s"),
        ratio("ingest", "ingest against plain pipelined HSET+ZADD", ours, plain, Goal(">=", 1.0)),
    ]
    say("sweep")
    swept = sweep.measure(20_000, 2_000) if quick else sweep.measure()
    found += [
        Figure("sweep", "empty sweep, one in a hundred", (swept["few"],), "ms"),
        Figure("sweep", "empty sweep, a million waiting", (swept["many"],), "ms", Goal("<=", 20)),
        Figure("sweep", "claimed into outreaches", (swept["outreaches"],), "a second"),
        Figure("sweep", "claimed, unreachable", (swept["unreachable"],), "a second"),
    ]
    say("memory")
    size = memory.measure(10_000) if quick else memory.measure()
    found.append(Figure("memory", "a waiting session with the example's data", (size,), "bytes", Goal("<=", 600)))
    for pool in ("prefork",) if quick else ("prefork", "threads"):
        say(f"attempts, {pool}")
        sent, bare = attempts.measure(pool, 32, 600 if quick else 4000)
        found.append(Figure("attempts", f"attempts, 100 ms API, {pool} 32", (sent,), "a second"))
        goal = Goal(">=", 0.8) if pool == "prefork" else None
        found.append(ratio("attempts", f"against bare httpx with as many connections, {pool}", [sent], [bare], goal))
    return found
