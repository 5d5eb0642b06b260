"""The server behind `winback metrics`: one read of the state serves all requests of about the same time."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Lock
from time import monotonic

import structlog
from prometheus_client import make_asgi_app
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from state.errors import StateError
from state.overview import Overview
from worker.monitoring.health import Finding, findings
from worker.monitoring.metrics import metrics
from worker.server_errors import describe, run_in_thread
from worker.settings import Settings

FRESH_S = 1.0
"""One read serves all requests during this time."""
PATIENCE_S = 2.5
"""Shorter than the clients' timeouts: Prometheus waits for 10 s, KEDA for 3 s."""
GIVEN_UP_S = 30.0
"""A read that takes longer is abandoned; it may hang in a name lookup."""

log = structlog.stdlib.get_logger("winback.metrics")


class SnapshotCache:
    """Takes one snapshot after the other, never two at a time; `None` while the state server doesn't answer."""

    def __init__(
        self, read: Callable[[], Overview], settings: Settings, clock: Callable[[], float] = monotonic
    ) -> None:
        self._read, self._settings, self._clock = read, settings, clock
        self._lock = Lock()
        self._snapshot: Future[Overview] | None = None
        self._started_s = 0.0
        self._problem = ""

    def latest(self) -> Overview | None:
        """Return a snapshot that is at most a second old, or that another request has just begun."""
        found: Overview | None
        try:
            found = self._current().result(PATIENCE_S)
        except TimeoutError:
            found, problem = None, "it doesn't answer in time"
        except StateError as error:
            found, problem = None, describe(self._settings, error)
        else:
            problem = ""
        self._log_problem(problem)
        return found

    def _current(self) -> "Future[Overview]":
        with self._lock:
            age = self._clock() - self._started_s
            if self._snapshot is None or age > (FRESH_S if self._snapshot.done() else GIVEN_UP_S):
                self._snapshot, self._started_s = run_in_thread(self._read), self._clock()
            return self._snapshot

    def _log_problem(self, problem: str) -> None:
        """Log when the server becomes unreachable and when it is back, not for each request."""
        with self._lock:
            before, self._problem = self._problem, problem
        if problem and not before:
            log.error("state_unreachable", error=problem)
        elif before and not problem:
            log.info("state_reachable")


class _Collected(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def create_app(snapshots: SnapshotCache, settings: Settings, ours: Iterable[Finding] = ()) -> Starlette:
    """Return the app for `/metrics`, and for `/healthz`, which answers while the process runs.

    Format, compression and the selection by `name[]` are prometheus-client's.

    Args:
        snapshots: The source of the state.
        settings: Used to evaluate the state.
        ours: Problems of the settings of this process.
    """

    async def scrape(_request: Request) -> ASGIApp:
        # Wait for the state in a thread: /healthz must answer in the meantime.
        found = await run_in_threadpool(snapshots.latest)
        judged = [] if found is None else findings(found, settings)
        registry = CollectorRegistry(auto_describe=True)
        registry.register(_Collected(list(metrics(found, [*ours, *judged], settings))))
        return make_asgi_app(registry)

    def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/metrics", scrape), Route("/healthz", alive)])
