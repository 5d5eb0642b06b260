"""All commands of `winback`: one module for each, imported when it is asked for, and one line for each mistake."""

import sys
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Abort, TyperException

from state.errors import StateError
from winback.cli import texts
from winback.cli.usage_errors import explained
from worker.errors import MISTAKE, StartError, exit_code
from worker.logs import role_output

COMMANDS = (
    "up",
    "demo",
    "status",
    "report",
    "doctor",
    "pause",
    "resume",
    "ingest",
    "metrics",
    "mock-api",
    "replay",
    "explain",
    "outreach",
    "dead",
    "unknown",
    "law",
    "optout",
    "person",
    "forget",
    "event",
    "rejected",
    "reasons",
    "rotate-keys",
    "config",
)
"""In the order of the help. Each is a function of that name in a module of that name, or the `app` of several."""

_MODULES = {"resume": "pause"}
"""Where the module has another name."""

_LOOKS: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": "markdown"}


class _Commands(TyperGroup):
    """Imports a command when it is asked for: a health check must not wait for what the demo is made of."""

    def list_commands(self, ctx: object) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        del ctx
        return _command(cmd_name) if cmd_name in COMMANDS else None


@cache
def _command(name: str) -> Any:  # noqa: ANN401 - a command or a group of them; typer's common base is private
    own_name = name.replace("-", "_")
    module = import_module(f"winback.cli.{_MODULES.get(name, own_name)}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, **_LOOKS)
        app.command(name)(getattr(module, own_name))
    return typer.main.get_command(app)


app = typer.Typer(
    name="winback",
    cls=_Commands,
    callback=lambda: None,
    help="Notices shoppers who stop half-way through buying and has each of them contacted once, in time.",
    no_args_is_help=True,
    **_LOOKS,
)


def run() -> int | None:
    """Run what the command line says and return the exit code; None is 0.

    A user's mistake ends in its own words and exit code 2, never in a traceback.
    """
    texts.print_everything()
    try:
        code: int | None = app(texts.arguments(sys.argv[1:]), standalone_mode=False, prog_name="winback")
    except (StartError, StateError) as exc:
        if role_output.is_role(sys.argv[1:]):
            role_output.refuse(exc, sys.argv[1])
            return exit_code(exc)
        return _told(str(exc), exit_code(exc))
    except Abort:
        # Ctrl-C, or nobody there to answer: whatever was asked has not been done.
        return _told("given up: nothing was changed", 1)
    except TyperException as exc:
        return _told(explained(exc), MISTAKE)
    except UnicodeEncodeError:
        return _told(texts.LOCALE, MISTAKE)
    return code


def _told(message: str, code: int) -> int:
    if message:
        print(message, file=sys.stderr)  # noqa: T201 - the one place where errors reach the terminal
    return code
