"""The techniques as they run behind a shop: the shop writes to them, and their processes report."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from bench.alternatives import keyspace
from bench.alternatives.programs import Program, environment
from bench.alternatives.technique import SILENT_S, Event, OneProgram, Technique
from bench.alternatives.winback_roles import Winback
from bench.extras import needs
from winback.simulation.mock_api.process import MockServer
from worker.supervision.embedded_valkey import EmbeddedValkey

REPORT_MS = 5
"""How long a report takes: less than any request, so that one process can make all of them."""
VISIBLE_AGAIN_S = 10
"""For Celery; an hour by default. kombu checks for such tasks every 100 s."""

Make = Callable[[Path], AbstractContextManager[Technique]]


def chosen(*, quick: bool) -> Sequence[tuple[str, float | None, Make]]:
    """Return name, goal for 99 % of the delays (s) if any, and how to run it. Unavailable techniques are left out."""
    found: list[tuple[str, float | None, Make]] = [
        ("Winback, swept every second", 2.0, lambda directory: _winback(directory, "1s"))
    ]
    if quick:
        return found
    found += [
        ("Winback, swept every 5 s", 6.0, lambda directory: _winback(directory, "5s")),
        ("keyspace notifications", None, _keyspace),
    ]
    if needs("postgres") and needs("psycopg"):
        found.append(("PostgreSQL, polled every second", None, _postgres))
    if needs("bytewax"):
        found.append(("Bytewax", None, lambda directory: _bytewax(directory, recovery=False)))
        found.append(("Bytewax with a recovery store", None, lambda directory: _bytewax(directory, recovery=True)))
    found.append(("Celery countdown tasks", None, _celery))
    return found


@contextmanager
def _winback(directory: Path, sweep_interval: str) -> Iterator[Technique]:
    with (
        EmbeddedValkey(directory / "valkey", port=0) as server,
        MockServer(port=0, quiet=True, keep=100_000, delay=f"{REPORT_MS}ms") as api,
        Winback(server, api, sweep_interval, directory).running() as technique,
    ):
        yield technique


@contextmanager
def _keyspace(directory: Path) -> Iterator[Technique]:
    with EmbeddedValkey(directory / "valkey", port=0) as server:
        client: Any = Redis.from_url(server.url)
        client.config_set("notify-keyspace-events", "Ex")
        program, reports = _program("bench.alternatives.keyspace", server.url, directory)
        silent_ms = int(SILENT_S * 1000)
        technique = OneProgram(program, reports, lambda events: keyspace.note(client, events, silent_ms), 10)
        with technique.running() as running:
            yield running


@contextmanager
def _postgres(directory: Path) -> Iterator[Technique]:
    import psycopg  # noqa: PLC0415 - may not be installed

    from bench.alternatives import postgres, postgres_server  # noqa: PLC0415 - as above

    with postgres_server.running() as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(postgres.TABLE)
        program, reports = _program("bench.alternatives.postgres", server.url, directory)
        with OneProgram(program, reports, lambda events: postgres.note(connection, events), 10).running() as running:
            yield running


@contextmanager
def _bytewax(directory: Path, *, recovery: bool) -> Iterator[Technique]:
    from bench.alternatives import bytewax_windows  # noqa: PLC0415 - may not be installed

    with EmbeddedValkey(directory / "valkey", port=0) as server:
        client: Any = Redis.from_url(server.url)
        env = {bytewax_windows.RECOVERY: str(directory / "recovery")} if recovery else {}
        program, reports = _program("bench.alternatives.bytewax_windows", server.url, directory, env)

        def send(events: Sequence[Event]) -> None:
            for event in events:
                client.xadd(bytewax_windows.STREAM, {"event": json.dumps(event)})

        with OneProgram(program, reports, send, 10).running() as running:
            yield running


@contextmanager
def _celery(directory: Path) -> Iterator[Technique]:
    from bench.alternatives import celery_countdown  # noqa: PLC0415 - makes a Celery application

    with EmbeddedValkey(directory / "valkey", port=0) as server:
        reports = directory / "reports"
        env = environment(server.url, reports, silent_ms=int(SILENT_S * 1000), takes_ms=REPORT_MS)
        env[celery_countdown.VISIBLE_AGAIN] = str(VISIBLE_AGAIN_S)
        program = Program(celery_countdown.WORKER, env, directory / "log")
        publisher = celery_countdown.Publisher(server.url)
        technique = OneProgram(program, reports, lambda events: publisher.note(events, SILENT_S), 130)
        with technique.running() as running:
            yield running


def _program(module: str, server: str, directory: Path, env: dict[str, str] | None = None) -> tuple[Program, Path]:
    reports = directory / "reports"
    told = environment(server, reports, silent_ms=int(SILENT_S * 1000), takes_ms=REPORT_MS)
    return Program([module], {**told, **(env or {})}, directory / "log"), reports
