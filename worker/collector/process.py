"""The parts of a collector process, started and stopped in order."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from detectors.lanes import milliseconds
from state.cipher import cipher_of
from state.errors import DeploymentMismatchError, ServerUnsuitableError, StateError
from worker import runtime
from worker.collector.acceptance import Acceptance
from worker.collector.app import create_app
from worker.collector.committer import Committer
from worker.collector.reporter import Reporter
from worker.collector.server_clock import ServerClock
from worker.collector.settings import MB
from worker.collector.shop_sources import shop_sources
from worker.collector.spool import Spool
from worker.collector.spool_directory import SpoolDirectory
from worker.collector.stream_access import StreamAccess
from worker.settings import Settings

TIMEOUT_S = 1.0
"""How long Redis can take to answer before events go to the spool. Webhooks wait for 5 s."""
CONNECTIONS = 4
SWITCH_S = 0.0005
"""How long the thread that answers requests keeps the one that stores events waiting, under load."""


def tune_gc() -> None:
    """Make pauses of the garbage collector short: it skips the objects of the start, and seldom examines old ones.

    For the main process only: what is garbage at the time stays in memory.
    """
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector."""

    app: ASGIApp
    acceptance: Acceptance
    spool: Spool
    clock: ServerClock
    identifier: str


@contextmanager
def running(settings: Settings) -> Iterator[Collector]:
    """Start the threads of a collector; in the end store all that was accepted, and deliver it if that is possible.

    Raises:
        StartError: the spool can't be used.
        StateError: the server holds the data of another version.
    """
    spool = _spool(settings)
    connect = partial(runtime.open_state, settings, connections=CONNECTIONS, timeout_s=TIMEOUT_S)
    access = StreamAccess(connect, settings.ingest.streams, settings.collect.shops)
    _require_own_data(access)
    identifier = spool.open()
    clock = ServerClock()
    committer = Committer(access.write, spool)
    acceptance = Acceptance(settings.collect, committer, clock, lambda: access.has_room_for_requests)

    reporter = Reporter(
        identifier,
        access=access,
        committer=committer,
        spool=spool,
        clock=clock,
        figures=lambda: acceptance.totals.figures(spool.size, spool.damaged),
        missing_after_ms=milliseconds(settings.collect.missing_after),
        delivered=acceptance.deliveries.take,
    )
    sys.setswitchinterval(SWITCH_S)
    committer.start()
    reporter.start()
    app = create_app(acceptance, lambda: reporter.is_reachable or spool.has_room, shop_sources(settings.collect))
    try:
        yield Collector(app, acceptance, spool, clock, identifier)
    finally:
        acceptance.stop()
        committer.stop()
        reporter.stop()
        access.close()
        spool.close()


def _spool(settings: Settings) -> Spool:
    keys = settings.encryption_keys
    cipher = cipher_of(keys.get_secret_value() if keys else "")
    return Spool(SpoolDirectory(settings.collect.spool), settings.collect.spool_limit_mb * MB, cipher)


def _require_own_data(access: StreamAccess) -> None:
    try:
        access.open()
    except (DeploymentMismatchError, ServerUnsuitableError):
        raise
    except StateError:
        pass  # it starts while Redis is down, too
