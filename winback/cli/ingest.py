"""`winback ingest`: reads the event streams and applies events to sessions."""

import signal
import socket
import sys
from threading import Event
from typing import Annotated

import structlog
import typer

from tasks.failpoints import reached
from worker import runtime
from worker.ingest.consumer import Ingest, tune_gc
from worker.logs import role_output, setup, uncaught
from worker.monitoring.alarms import AlarmMonitor
from worker.server_errors import naming_server
from worker.settings import load, require
from worker.tracing import require_exporter, trace_of


def ingest(
    consumer: Annotated[
        str, typer.Option(help="Name in the consumer group; keep it across restarts. Default: the host name.")
    ] = "",
) -> None:
    """Read the activity stream and apply events to sessions, until SIGTERM or Ctrl-C.

    Run as many processes as you need. If one exits, its unfinished events are processed when it restarts under the same
    name, or by the other processes after `ingest.stale_after`.
    """
    settings = load()
    require(settings, "redis_url", "identity_secret")
    require_exporter()
    setup.configure("ingest")
    if role_output.is_role(sys.argv[1:]):
        uncaught.report("ingest")
    with naming_server(settings):
        state = runtime.open_state(settings)
        server = runtime.join_deployment(state, settings)
        # Before "ready" is logged: from then on the shop can write to all of them.
        streams = state.streams.ensure(settings.ingest.streams)
    log = structlog.get_logger("winback.ingest")
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    process = Ingest(
        state,
        settings.ingest,
        consumer=consumer or socket.gethostname(),
        heartbeat=lambda: state.heartbeat("ingest"),
        reached=reached,
        trace=trace_of("ingest"),
    )
    tune_gc()
    log.info("ready", server=server, stream=state.keys.events, streams=len(streams))
    AlarmMonitor(settings).start()
    process.run(stopped.is_set, stopped.wait)
    totals = process.totals
    log.info("stopped", entries=totals.entries, changes=totals.changes, rejected=totals.rejected)
