"""The command `winback`: one file per group of commands, put together here."""

import sys

import typer

from state.errors import StateError
from worker.cli import config, demo, doctor, event, ingest, mock_api, rejected, replay, rotate_keys, status, up
from worker.errors import StartError, exit_code

app = typer.Typer(
    name="winback",
    help="Notices shoppers who stop half-way through buying and has each of them contacted once, in time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(ingest.ingest)
app.command("mock-api")(mock_api.mock_api)
app.command()(replay.replay)
app.command("rotate-keys")(rotate_keys.rotate_keys)

event_app = typer.Typer(
    help="Send events, explain what is wrong with them, print their JSON Schema.", no_args_is_help=True
)
event_app.command("emit")(event.emit)
event_app.command("check")(event.check)
event_app.command("schema")(event.schema)
app.add_typer(event_app, name="event")

rejected_app = typer.Typer(help="What could not be read, and why.", no_args_is_help=True)
rejected_app.callback()(lambda: None)  # keeps `list` a subcommand while it is the only one
rejected_app.command("list")(rejected.list_rejected)
app.add_typer(rejected_app, name="rejected")

config_app = typer.Typer(help="Check the settings, and see where each comes from.", no_args_is_help=True)
config_app.command("check")(config.check)
config_app.command("show")(config.show)
app.add_typer(config_app, name="config")


def main() -> None:
    """Run the command line; a user's mistake ends in its own words and exit code 2, never in a traceback."""
    try:
        app()
    except (StartError, StateError) as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - the one place where errors reach the terminal
        raise SystemExit(exit_code(exc)) from None
