"""Winback as a technique: all its roles, which send their requests to a mock API."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.alternatives.programs import Program
from bench.alternatives.technique import SILENT_S, Event, Technique
from bench.waiting import wait_for
from bench.winback.running import LIVE
from state import overview
from state.partitions import PARTITIONS
from winback.simulation.mock_api.process import MockServer
from worker import runtime
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles


class Winback:
    """Ingest, sweep, recover and beat, live, against a mock API; a report is a request that it received."""

    patience_s = 40.0

    def __init__(self, server: EmbeddedValkey, api: MockServer, sweep_interval: str, directory: Path) -> None:
        env = {
            **LIVE,
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
            # The outreaches of a killed worker are returned after twice this plus 10 s.
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
