"""`winback collect`: accepts events over HTTP. Its commands check requests, and list those about privacy."""

import structlog
import typer

from winback.cli.collect_check import check
from winback.cli.collect_requests import requests
from winback.cli.collect_setup import setup as setup_sender
from worker.collector.process import running, tune_gc
from worker.errors import StartError
from worker.http_server import serve
from worker.logs import setup
from worker.server_errors import naming_server
from worker.settings import load, require

IDLE_S = 75
"""How long an idle connection is kept: longer than proxies in front keep theirs (60 s)."""
STOP_S = 5


def collect(context: typer.Context) -> None:
    """Accept events over HTTP and write them to the activity stream, until SIGTERM or Ctrl-C.

    Run as many as you need, each with its own `collect.spool`. The answer 200 means that the events are in Redis or,
    while Redis takes none, on disk. A collector that was killed delivers its spool when it is started again.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load()
    require(settings, "redis_url", "identity_secret")
    if not settings.collect.is_on:
        raise StartError(
            "collect: no key or secret is set, so no request could be accepted: set WINBACK_COLLECT__SERVER_KEYS"
        )
    setup.configure("collect")
    log = structlog.stdlib.get_logger("winback.collector")
    with naming_server(settings), running(settings) as collector:
        tune_gc()
        serve(
            collector.app,
            settings.collect.address,
            settings.collect.port,
            listening=lambda url: log.info("ready", address=url, collector=collector.identifier),
            lifespan="off",
            named=("collect.address", "collect.port"),
            loop="uvloop",
            http="httptools",
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=STOP_S,
            backlog=2048,
            date_header=False,
        )
    totals = collector.acceptance.totals
    log.info(
        "stopped",
        requests=totals.requests,
        events=totals.events,
        refused=totals.refused,
        spool_bytes=collector.spool.size,
    )


app = typer.Typer(name="collect", invoke_without_command=True, rich_markup_mode="markdown", add_completion=False)
app.callback()(collect)
app.command("check")(check)
app.command("setup")(setup_sender)
app.command("requests")(requests)
