"""The techniques as they run behind a shop: written to by the shop, with processes of their own that report."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from redis import Redis

from bench.alternatives import keyspace
from bench.alternatives.programs import Program, environment
from bench.alternatives.reports import READY, read
from bench.needs import needs
from bench.own.running import LIVE
from bench.waiting import wait_for
from state import overview
from state.keys import PARTITIONS
from winback.simulation.mock_api.process import MockServer
from worker import runtime
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles

SILENT_S = 2.0
REPORT_MS = 5
"""How long a report takes: less than any request, so that one process keeps up with all."""
VISIBLE_AGAIN_S = 10
"""For Celery; an hour by default. kombu looks for such tasks every 100 s."""

Event = dict[str, Any]


class Technique(Protocol):
    patience_s: float
    """How long after the last event it may still report something."""

    def start(self) -> None:
        """Start its processes, the first time or after a kill."""

    def send(self, events: Sequence[Event]) -> None:
        """Do what the shop does at an event."""

    def kill(self) -> None:
        """SIGKILL all its processes at once; not the server."""

    def reports(self) -> Sequence[tuple[float, str]]:
        """Return when (Unix s) which session was reported."""

    def in_doubt(self) -> Collection[str]:
        """Return the sessions that it shows to a person, since nobody can know whether they were reported."""


class OneProgram:
    """A technique with one process of its own, which reports into a file."""

    def __init__(
        self, program: Program, reports: Path, note: Callable[[Sequence[Event]], object], patience_s: float
    ) -> None:
        self._program, self._reports, self._note = program, reports, note
        self.patience_s = patience_s

    def send(self, events: Sequence[Event]) -> None:
        self._note(events)

    def start(self) -> None:
        self._program.start()

    def kill(self) -> None:
        self._program.kill()

    def reports(self) -> Sequence[tuple[float, str]]:
        return [(at, session) for at, session in read(self._reports) if session != READY]

    def in_doubt(self) -> Collection[str]:
        return ()

    @contextmanager
    def running(self) -> Iterator[Technique]:
        try:
            self.start()
            wait_for(lambda: self._program.pid > 0 and bool(read(self._reports)), 60)
            yield self
        finally:
            self.kill()


class Winback:
    """Ingest, sweep, recover and beat, live, against a stand-in of the API; a report is a request that it received."""

    patience_s = 40.0

    def __init__(self, server: EmbeddedValkey, api: MockServer, sweep_interval: str, directory: Path) -> None:
        env = {
            **LIVE,
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
            # What a killed worker had in hand is free after twice this and 10 s more.
            "WINBACK_DELIVERY__TIMEOUT": "2s",
            "WINBACK_WORKER__POOL": "threads",
            "WINBACK_WORKER__CONCURRENCY": "8",
            "WINBACK_DETECTION__IDLE__CHECKOUT": f"{int(SILENT_S)}s",
            "WINBACK_DETECTION__SWEEP_INTERVAL": sweep_interval,
        }
        settings = load(env, config=None)
        self._api = api
        self._state = runtime.open_state(settings)
        self._state.streams.first.create_group()
        self._roles = [
            Program(role.argv[2:], {**env, **role.env}, directory / f"{role.name}.log")
            for role in roles(settings)
            if role.name != "flower"
        ]

    def start(self) -> None:
        for role in self._roles:
            role.start()

    def send(self, events: Sequence[Event]) -> None:
        for event in events:
            self._state.client.xadd(self._state.keys.events, {"event": json.dumps(event)})

    def kill(self) -> None:
        for role in self._roles:
            role.kill()

    def reports(self) -> Sequence[tuple[float, str]]:
        return [
            (datetime.fromisoformat(request["received_at"]).timestamp(), request["body"]["session"]["session_id"])
            for request in self._api.requests()
        ]

    def in_doubt(self) -> Collection[str]:
        client: Any = self._state.client
        keys = self._state.keys
        unknown = [
            outreach.decode()
            for number in range(PARTITIONS)
            for outreach in client.zrange(f"{keys.partition(number)}unknown", 0, -1)
        ]
        return [client.hget(keys.outreach(outreach), "session").decode() for outreach in unknown]

    @contextmanager
    def running(self) -> Iterator[Technique]:
        try:
            self.start()
            wait_for(self._is_up, 60)
            yield self
        finally:
            self.kill()

    def _is_up(self) -> bool:
        beats = overview.read(self._state.scripts, self._state.keys, ()).heartbeats
        return all(beats.get(role) for role in ("ingest", "recover", "sweep"))


Make = Callable[[Path], AbstractContextManager[Technique]]


def chosen(*, quick: bool) -> Sequence[tuple[str, float | None, Make]]:
    """Return name, goal for 99 % of the delays (s) if there is one, and how to run it; what cannot be is left out."""
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
