"""The summary of the performance page: the last run, and the measurements of another machine."""

from bench.page import kept
from bench.results import figures_of
from bench.table import spread

ROWS = {
    "Winback's ingest": "ingest, stream to applied, one process",
    "ingest against plain pipelined HSET+ZADD": "ingest against plain pipelined `HSET` and `ZADD`",
    "ingest against PostgreSQL upserts, fed from the same stream": "ingest against PostgreSQL upserts from the stream",
    "ingest against PostgreSQL upserts": "ingest against PostgreSQL upserts from memory",
    "ingest against Bytewax session windows": "ingest against Bytewax session windows",
    "ingest against Celery countdown tasks": "ingest against one Celery countdown task per event",
    "two processes against one, server not the limit": "two ingest processes against one, below the server's limit",
    "event, 3,000,000 waiting, against 10,000": "an event with 3,000,000 waiting sessions against 10,000",
    "empty sweep, 3,000,000 waiting": "an empty sweep with 3,000,000 waiting sessions",
    "claimed into outreaches, 3,000,000 waiting": "claims into outreaches",
    "claimed as unreachable, 3,000,000 waiting": "claims of unreachable sessions",
    "100 ms API, recover worker, prefork 32": "attempts of one worker, an API that takes 100 ms",
    "100 ms API, worker against bare httpx": "the same against bare httpx",
    "waiting session, example's data": "Redis memory of a waiting session, example's data",
    "waiting session, anonymous": "Redis memory of an anonymous waiting session",
}
OTHER = {
    "ingest against plain pipelined HSET+ZADD": "0.87",
    "100 ms API, worker against bare httpx": "0.71",
    "empty sweep, 3,000,000 waiting": "26 ms",
}
"""Figure → its median on another machine, if measured there."""


def table() -> str:
    """Return the summary in Markdown: median, range, and the other machine's median."""
    figures = {figure.name: figure for figure in figures_of(kept())}
    lines = ["| | median (range) | another machine |", "|---|--:|--:|"]
    for name, label in ROWS.items():
        figure = figures[name]
        lines.append(f"| {label} | {spread(figure)} | {OTHER.get(name, '')} |")
    return "\n".join(lines)
