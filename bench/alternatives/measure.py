"""Measures work that this process does with its own server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from redis import Redis

from bench.alternatives.workload import Cost, sessions_in
from bench.processes import processor_s
from bench.shop_log import Logged
from worker.supervision.embedded_valkey import EmbeddedValkey


class Meter:
    """Adds up the time while it runs: by the clock, in this process, and in the server."""

    def __init__(self, server_pid: int | None) -> None:
        assert server_pid is not None, "the server is not running"
        self._server_pid = server_pid
        self.clock_s = self.client_s = self.server_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        clock, client, server = perf_counter(), process_time(), processor_s(self._server_pid)
        yield
        self.clock_s += perf_counter() - clock
        self.client_s += process_time() - client
        self.server_s += processor_s(self._server_pid) - server

    def cost(self, log: Sequence[Logged], grown_bytes: float) -> Cost:
        number = len(log)
        return Cost(
            rate=number / self.clock_s,
            client_us=self.client_s / number * 1e6,
            server_us=self.server_s / number * 1e6,
            session_bytes=grown_bytes / sessions_in(log),
        )


def used_bytes(client: Any) -> int:  # noqa: ANN401 - the driver's stubs know nothing of what comes back
    return int(client.info("memory")["used_memory"])


def emptied(server: EmbeddedValkey) -> Any:  # noqa: ANN401 - as above
    client: Any = Redis.from_url(server.url)
    # By default Valkey returns the memory later, during the measurement.
    client.execute_command("FLUSHALL", "SYNC")
    # Only one alternative pays for notifications of expired keys.
    client.config_set("notify-keyspace-events", "")
    return client
