"""`winback ingest`: the process between the activity stream and the sessions."""

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


def ingest(
    consumer: Annotated[
        str, typer.Option(help="Name in the consumer group; keep it across restarts. Default: this host's name.")
    ] = "",
) -> None:
    """Read the activity stream, apply what happened to the sessions, until SIGTERM or Ctrl-C.

    Run as many as you need. One that dies leaves its entries to itself, started again under the same name, or after
    `ingest.stale_after` to the others.
    """
    settings = load()
    require(settings, "redis_url", "identity_secret")
    setup.configure("ingest")
    if role_output.is_role(sys.argv[1:]):
        uncaught.report("ingest")
    with naming_server(settings):
        state = runtime.open_state(settings)
        server = runtime.join_deployment(state, settings)
        # Before it says that it is ready: from then on the shop may write to all of them.
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
    )
    tune_gc()
    log.info("ready", server=server, stream=state.keys.events, streams=len(streams))
    AlarmMonitor(settings).start()
    process.run(stopped.is_set, stopped.wait)
    totals = process.totals
    log.info("stopped", entries=totals.entries, changes=totals.changes, rejected=totals.rejected)
