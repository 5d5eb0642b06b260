"""All commands of `winback`. Each module is imported when its command is used, and each mistake is one line."""

import gc
import sys
from difflib import get_close_matches
from functools import cache, partial
from importlib import import_module
from typing import cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Abort, TyperException

from state.errors import StateError
from winback.cli import texts
from worker.errors import MISTAKE, StartError, exit_code
from worker.logs import role_output

GROUPS = {
    "Run": {
        "up": "Run all roles on this machine and restart those that exit.",
        "demo": "Run every part for a minute with simulated shoppers.",
        "ingest": "Read the event streams and apply events to sessions.",
        "collect": "Receive events that shops already send.",
        "outcomes": "Send outcomes to the shop as signed webhooks.",
        "record": "Write events without personal data to files for tune.",
        "metrics": "Serve Prometheus metrics at /metrics.",
        "mock-api": "Serve a mock of Yuno's API that contacts no person.",
        "replay": "Send recorded events again as if they happened now.",
    },
    "Inspect": {
        "status": "Show the state of all parts on one screen.",
        "doctor": "Check settings, servers and roles, and give hints.",
        "report": "Show sessions, contacts and recovered orders.",
        "tune": "Recommend thresholds from a recording of events.",
        "simulate": "Compare settings on a recording of events.",
        "explain": "Explain why a shopper was contacted or was not.",
        "event": "Send, check or watch events.",
        "rejected": "List events that couldn't be read, with the reasons.",
        "reasons": "Explain every outcome and its reasons.",
    },
    "Decide": {
        "pause": "Stop sending in all workers.",
        "resume": "Resume sending, or try at once after a stop.",
        "outreach": "List outreaches, or show one with its history.",
        "dead": "List, retry or drop outreaches that failed.",
        "unknown": "List or resolve outreaches that might have arrived.",
    },
    "People": {
        "person": "Show or export what is stored about one person.",
        "optout": "Manage the people who must not be contacted.",
        "forget": "Remove every trace of a person.",
    },
    "Configure": {
        "config": "Check the settings and show where each comes from.",
        "law": "Show when people can be contacted, by country.",
        "rotate-keys": "Encrypt stored personal data under a new key.",
    },
}
"""The commands by purpose, in the order of `winback --help`. Each has one line that begins with a verb.

A command is a function in the module of the same name, or that module's `app` if it has subcommands. The lines are
here so that the list doesn't import every command.
"""

COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}
"""Every command with its line."""

_GROUP_OF = {name: group for group, lines in GROUPS.items() for name in lines}

_MODULES = {"resume": "pause"}
"""Commands whose module has another name."""

_SUPERVISED = {"up", "collect", "outcomes", "record"}
"""Commands that a supervisor restarts after a temporary problem."""

_Runnable = TyperCommand | TyperGroup
_typer = partial(typer.Typer, pretty_exceptions_enable=False, rich_markup_mode="markdown")


class _Commands(TyperGroup):
    """Imports a command when it is used, so that a health check doesn't wait for the demo's imports."""

    def list_commands(self, ctx: object) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        """Return a command as the list shows it: its name and line."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name], rich_help_panel=_GROUP_OF[cmd_name])

    def resolve_command(self, ctx: object, args: list[str]) -> tuple[str | None, _Runnable | None, list[str]]:
        """Return the command itself, imported."""
        close = get_close_matches(args[0], COMMANDS, n=1) if args and args[0] not in COMMANDS else []
        if close:
            cast("typer.Context", ctx).fail(f"no such command '{args[0]}' (did you mean {close[0]}?)")
        name, listed, rest = super().resolve_command(cast("typer.Context", ctx), args)
        return name, load_command(name or "") if listed else None, rest


@cache
def load_command(name: str) -> _Runnable:
    """Import a command of `COMMANDS`, or a group of them, and return it."""
    own_name = name.replace("-", "_")
    module = import_module(f"winback.cli.{_MODULES.get(name, own_name)}")
    app = getattr(module, "app", None)
    if app is None:
        app = _typer(add_completion=False)
        app.command(name)(getattr(module, own_name))
    command = typer.main.get_command(app)
    # See winback.cli.main: the command's imports are complete.
    gc.freeze()
    gc.enable()
    return cast("_Runnable", command)


app = _typer(
    name="winback",
    cls=_Commands,
    callback=lambda: None,
    help="Notice shoppers who abandon a cart, and have each contacted once.",
    no_args_is_help=True,
)


def run() -> int | None:
    """Run the command of the command line and return the exit code; None is 0.

    A user's mistake is reported in one line with exit code 2, without a traceback.
    """
    texts.escape_unencodable()
    if role_output.is_role(sys.argv[1:]):
        role_output.leave_out_rich()
    try:
        code: int | None = app(texts.arguments(sys.argv[1:]), standalone_mode=False, prog_name="winback")
    except (StartError, StateError) as exc:
        if role_output.is_role(sys.argv[1:]):
            role_output.refuse(exc, sys.argv[1])
            return exit_code(exc)
        return _print_error(str(exc), exit_code(exc) if sys.argv[1] in _SUPERVISED else MISTAKE)
    except Abort:
        # Ctrl-C, or no terminal to answer a question: the action was not started.
        return _print_error("Aborted. No changes were made.", 1)
    except TyperException as exc:
        from winback.cli.usage_errors import explained

        return _print_error(explained(exc), MISTAKE)
    except UnicodeEncodeError:
        return _print_error(texts.LOCALE, MISTAKE)
    return code


def _print_error(message: str, code: int) -> int:
    if message:
        print(message, file=sys.stderr)  # noqa: T201 - the one place where errors reach the terminal
    return code
