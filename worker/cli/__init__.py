"""The command `winback`: one file per group of commands, put together here."""

import sys

import typer

from state.errors import StateError
from worker.cli import (
    config,
    dead,
    demo,
    doctor,
    event,
    explain,
    forget,
    ingest,
    mock_api,
    optout,
    outreach,
    rejected,
    replay,
    status,
    unknown,
    up,
)
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
app.command()(explain.explain)
app.command()(forget.forget)

outreach_app = typer.Typer(
    help="Every contact that was planned: look at them, end those that wait.", no_args_is_help=True
)
outreach_app.command("list")(outreach.list_outreaches)
outreach_app.command("show")(outreach.show_outreach)
outreach_app.command("expire")(outreach.expire)
app.add_typer(outreach_app, name="outreach")

dead_app = typer.Typer(
    help="Outreaches that were refused for good: try them again, or give them up.", no_args_is_help=True
)
dead_app.command("list")(dead.list_dead)
dead_app.command("show")(outreach.show_outreach)
dead_app.command("retry")(dead.retry)
dead_app.command("drop")(dead.drop)
app.add_typer(dead_app, name="dead")

unknown_app = typer.Typer(help="Outreaches that may or may not have arrived: decide on them.", no_args_is_help=True)
unknown_app.command("list")(unknown.list_unknown)
unknown_app.command("resolve")(unknown.resolve)
app.add_typer(unknown_app, name="unknown")

optout_app = typer.Typer(help="Those who do not want to be contacted.", no_args_is_help=True)
optout_app.command("add")(optout.add)
optout_app.command("remove")(optout.remove)
optout_app.command("check")(optout.check)
optout_app.command("import")(optout.import_)
optout_app.command("export")(optout.export)
app.add_typer(optout_app, name="optout")

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
