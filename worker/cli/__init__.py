"""The command `winback`: one file per group of commands, put together here."""

import sys

import typer

from state.errors import StateError
from worker.cli import config, demo, doctor, ingest, mock_api, status, up
from worker.errors import StartError

app = typer.Typer(
    name="winback",
    help="Notices shoppers who stop half-way through buying and has each of them contacted once, in time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(ingest.ingest)
app.command("mock-api")(mock_api.mock_api)

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
        raise SystemExit(2) from None
