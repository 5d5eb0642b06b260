"""`winback metrics`: the state that `winback status` shows, for Prometheus."""

import sys
from typing import Annotated

import structlog
import typer

from detectors.lanes import LANES
from state import overview
from state.overview import Overview
from worker import runtime
from worker.http_server import serve
from worker.logs import role_output, setup, uncaught
from worker.monitoring.health import Finding
from worker.monitoring.metrics_server import SnapshotCache, create_app
from worker.settings import require
from worker.settings.partial import load_lenient

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9555
_LANES = [lane.name for lane in LANES]


def metrics(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on. It has no password.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(help="Port to listen on. 0 takes a free port and logs it.")] = DEFAULT_PORT,
) -> None:
    """Serve the state of Winback as Prometheus metrics at /metrics, until SIGTERM or Ctrl-C.

    The state is read at most once a second, for all scrapes. While the state server is down, the only metric is
    `winback_up 0`. `/healthz` is the liveness endpoint of this process. The metrics are counts and times, and contain
    no personal data.
    """
    settings, broken = load_lenient()
    require(settings, "redis_url")
    setup.configure("metrics")
    if role_output.is_role(sys.argv[1:]):
        uncaught.report("metrics")
    ours = [Finding("settings", "fail" if broken else "ok", broken or "valid")]
    opened: list[runtime.State] = []

    def read() -> Overview:
        # Connect at the first scrape: a cluster that is down at the start must not end this process.
        if not opened:
            opened.append(runtime.open_state(settings, connections=4))
        state = opened[0]
        return overview.read(state.scripts, state.keys, _LANES)

    log = structlog.stdlib.get_logger("winback.metrics")
    serve(
        create_app(SnapshotCache(read, settings), settings, ours),
        host,
        port,
        listening=lambda url: log.info("ready", address=f"{url}/metrics"),
        lifespan="off",
    )
    log.info("stopped")
