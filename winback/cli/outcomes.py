"""`winback outcomes`: sends the outcome feed to the shop as signed webhooks; its commands help to set this up."""

import signal
import sys
import time
from contextlib import ExitStack
from threading import Event

import structlog
import typer

from detectors.normalize.session_ids import stored_as
from state import deployment
from state.connection import require_suitable
from state.webhooks import Webhooks
from tasks.delivery.payload import timestamp
from tasks.outcomes.entry import session_in_feed
from tasks.outcomes.settings import key_of
from worker import runtime
from worker.errors import StartError
from worker.logs import role_output, setup, uncaught
from worker.server_errors import call_with_timeout, naming_server
from worker.settings import Settings, load, require
from worker.settings.errors import missing
from worker.webhooks.client import WebhookClient
from worker.webhooks.courier import Courier
from worker.webhooks.schedule import AT_A_TIME
from worker.webhooks.sender import Sender
from worker.webhooks.signing import headers


def outcomes(context: typer.Context) -> None:
    """Send outcomes to `outcomes.webhook_url` as signed webhooks, until SIGTERM or Ctrl-C.

    Each outcome is sent until the receiver answers with 2xx, at least once and in order for each outreach. Several
    processes can run; one of them sends, and another one takes over within 15 s.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load()
    require(settings, "redis_url")
    keys = _keys(settings)
    setup.configure("outcomes")
    if role_output.is_role(sys.argv[1:]):
        uncaught.report("outcomes")
    log = structlog.stdlib.get_logger("winback.webhooks")
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with ExitStack() as stack:
        client = WebhookClient(settings.outcomes, connections=AT_A_TIME)
        stack.callback(client.close)
        with naming_server(settings):
            state = runtime.open_state(settings, connections=4)
            server = require_suitable(state.client)
            deployment.require_schema(state.scripts, state.keys)
        courier = Courier(client.post, keys)
        stack.callback(courier.close)
        sender = Sender(
            Webhooks(state.scripts, state.keys),
            settings.outcomes,
            courier,
            heartbeat=lambda: state.heartbeat("outcomes"),
        )
        log.info("ready", server=server, stream=state.keys.outcomes)
        sender.run(stopped)
    log.info("stopped")


def test() -> None:
    """Post one signed request of the type `outreach.test`, and print the receiver's answer."""
    settings = load()
    keys = _keys(settings)
    client = WebhookClient(settings.outcomes, connections=1)
    now = time.time()
    body = f'{{"type":"outreach.test","timestamp":"{timestamp(round(now) * 1000)}","data":{{}}}}'
    answer = client.post(body, headers(f"test.{round(now)}", round(now), body, keys))
    client.close()
    typer.echo(f"{answer.why}: {'accepted' if answer.accepted else 'NOT accepted'}")
    if not answer.accepted:
        raise typer.Exit(1)


def resume() -> None:
    """Send webhooks again after the receiver answered 410 Gone."""
    settings = load()
    require(settings, "redis_url")

    def ask() -> bool:
        state = runtime.open_state(settings)
        require_suitable(state.client)
        return Webhooks(state.scripts, state.keys).resume()

    was_refused = call_with_timeout(settings, ask)
    typer.echo("webhooks are sent again" if was_refused else "webhooks had not been stopped")


def session(session_id: str) -> None:
    """Print a session id as the feed and webhooks show it: an id that can be personal is a keyed hash."""
    settings = load()
    require(settings, "identity_secret")
    typer.echo(session_in_feed(stored_as(session_id), runtime.identity_secret(settings)))


def _keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys that sign requests. Raises StartError if webhooks aren't set up."""
    require(settings, "outcomes.webhook_url")
    if not settings.outcomes.webhook_secrets:
        hint = "set WINBACK_OUTCOMES__WEBHOOK_SECRETS (openssl rand -base64 32)"
        raise StartError(missing(("outcomes", "webhook_secrets"), hint))
    return tuple(map(key_of, settings.outcomes.webhook_secrets))


app = typer.Typer(name="outcomes", invoke_without_command=True, rich_markup_mode="markdown", add_completion=False)
app.callback()(outcomes)
app.command("test")(test)
app.command("resume")(resume)
app.command("session")(session)
