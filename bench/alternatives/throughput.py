"""Events per second of Winback and its alternatives, alternating, on the same events.

Except for the lines "fed from the same stream", all but Winback start with the events in memory as Python objects: they
neither read nor parse nor acknowledge anything.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from bench.alternatives import keyspace, pipelined_hset, redis_benchmark, winback
from bench.alternatives.fed_from_stream import fed
from bench.alternatives.workload import Cost, middle
from bench.extras import needs
from bench.figures import Figure, Goal, ratio
from bench.progress import say
from bench.shop_log import SESSIONS, Logged, shop_log
from worker.ingest.consumer import tune_gc
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "compared with alternatives: writing"
OURS, PLAIN, RAW = "Winback's ingest", "plain pipelined HSET+ZADD", "redis-benchmark, the same two commands"
FED = ", fed from the same stream"
GOALS = {
    PLAIN: 1.0,
    "PostgreSQL upserts": 2.0,
    "Celery countdown tasks": 15.0,
    "Bytewax session windows": 15.0,
}
LIMITS = {
    PLAIN: "no validation, no order, no cart or customer",
    RAW: "written in C; the server is the limit",
    "PostgreSQL upserts": "a commit waits for the disk",
    "PostgreSQL upserts, synchronous_commit off": "a crash costs up to 0.6 s, as appendfsync everysec costs 1 s",
    f"{PLAIN}{FED}": "JSON parsed, not validated; acknowledged as Winback's",
    f"PostgreSQL upserts{FED}": "JSON parsed, not validated; synchronous_commit off",
    "Celery countdown tasks": "the slower of publisher and worker, each with a processor of its own",
    "Bytewax session windows": "in memory only: a crash costs everything",
    "Bytewax session windows, recovery store": "kept every second, in SQLite",
}
MEMORY = {
    "PostgreSQL upserts": "on the disk, with what updates leave behind",
    "PostgreSQL upserts, synchronous_commit off": "on the disk, with what updates leave behind",
    "Celery countdown tasks": "server and worker, with the tasks made void that still wait",
    PLAIN: "two fields only",
    RAW: "two fields only",
}
Technique = Callable[[], Cost]
Events = Sequence[Logged]


def measure(*, quick: bool = False) -> list[Figure]:
    rounds, number, few = (1, 20_000, 2_000) if quick else (3, 200_000, 5_000)
    say("the log of events")
    log = shop_log(SESSIONS // 10, 10 * number) if quick else shop_log()
    most, some = middle(log, number), middle(log, few)
    del log
    tune_gc()
    found: dict[str, list[Cost]] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(EmbeddedValkey(directory / "valkey", port=0))
        techniques = {
            **_on_redis(server, most),
            **_on_postgres(stack, server, most),
            **_in_bytewax(directory, most),
            **_in_celery(directory, server, some),
        }
        for number_of in range(rounds):
            for name, technique in techniques.items():
                say(f"round {number_of + 1} of {rounds}: {name}")
                found.setdefault(name, []).append(technique())
    return figures(found)


def _on_redis(server: EmbeddedValkey, events: Events) -> dict[str, Technique]:
    techniques: dict[str, Technique] = {
        OURS: partial(winback.cost, server, events),
        PLAIN: partial(pipelined_hset.cost, server, events),
        f"{PLAIN}{FED}": lambda: fed(server, events, partial(pipelined_hset.note, Redis.from_url(server.url))),
        "keyspace notifications": partial(keyspace.cost, server, events),
    }
    if needs("redis-benchmark"):
        techniques[RAW] = partial(redis_benchmark.cost, server, len(events))
    return techniques


def _on_postgres(stack: ExitStack, server: EmbeddedValkey, events: Events) -> dict[str, Technique]:
    if not (needs("postgres") and needs("psycopg")):
        return {}
    from bench.alternatives import postgres, postgres_server  # noqa: PLC0415 - may not be installed

    database = stack.enter_context(postgres_server.running())
    return {
        "PostgreSQL upserts": partial(postgres.cost, database, events, synchronous=True),
        "PostgreSQL upserts, synchronous_commit off": partial(postgres.cost, database, events, synchronous=False),
        f"PostgreSQL upserts{FED}": partial(postgres.cost_fed, database, server, events),
    }


def _in_bytewax(directory: Path, events: Events) -> dict[str, Technique]:
    if not needs("bytewax"):
        return {}
    from bench.alternatives import bytewax_windows  # noqa: PLC0415 - may not be installed

    return {
        f"Bytewax session windows{name}": partial(bytewax_windows.cost, events, directory, recovery=recovery)
        for name, recovery in (("", False), (", recovery store", True))
    }


def _in_celery(directory: Path, server: EmbeddedValkey, events: Events) -> dict[str, Technique]:
    from bench.alternatives import celery_countdown  # noqa: PLC0415 - makes a Celery application

    return {"Celery countdown tasks": partial(celery_countdown.cost, server, events, directory)}


def figures(found: Mapping[str, list[Cost]]) -> list[Figure]:
    """Return the table's lines for the cost of each technique, round by round."""
    lines = []
    for name, costs in found.items():
        lines.append(Figure(PART, name, tuple(cost.rate for cost in costs), "events/s", note=LIMITS.get(name, "")))
    ours = [cost.rate for cost in found[OURS]]
    for name, costs in found.items():
        if name != OURS:
            goal = Goal(">=", GOALS[name]) if name in GOALS else None
            lines.append(ratio(PART, f"ingest against {name}", ours, [cost.rate for cost in costs], goal))
    for name, costs in found.items():
        if name != RAW:
            clients = tuple(cost.client_us for cost in costs)
            lines.append(Figure(PART, f"{name}, processor time of the clients", clients, "us/event"))
        if not name.startswith("Bytewax"):
            servers = tuple(cost.server_us for cost in costs)
            lines.append(Figure(PART, f"{name}, processor time of the server", servers, "us/event"))
        if name.endswith(FED):
            continue
        memory = tuple(cost.session_bytes for cost in costs)
        lines.append(Figure(PART, f"{name}, for a waiting session", memory, "bytes", note=MEMORY.get(name, "")))
    return lines
