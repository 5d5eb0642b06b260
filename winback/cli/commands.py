"""All commands of `winback`: one module for each, imported when it is asked for, and one line for each mistake."""

import gc
import sys
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

COMMANDS = {
    "up": "Run ingest, the Celery workers, beat and Flower until Ctrl-C; what dies is started again.",
    "demo": (
        "Run every real part on this machine for a minute: a shop full of made-up shoppers, and nobody is "
        "really called."
    ),
    "status": "Show how Winback is: what is wrong, its roles, how far ingest is, who waits, the outbox, what came out.",
    "report": "Show what happened and whether it helped: sessions, contacts, orders won back, against those held out.",
    "doctor": "Check the settings, the servers and every role, one by one, and say what to do about what is wrong.",
    "pause": "Stop sending, for all workers, within a dispatch interval; what is due stays due.",
    "resume": "Let sending go on; when it had stopped by itself (refused keys, failing requests), try at once.",
    "collect": "Accept events over HTTP and write them to the activity stream, until SIGTERM or Ctrl-C.",
    "ingest": "Read the activity stream, apply what happened to the sessions, until SIGTERM or Ctrl-C.",
    "metrics": "Serve how Winback is as Prometheus metrics at /metrics, until SIGTERM or Ctrl-C.",
    "mock-api": "Run a stand-in for Yuno's API, which contacts nobody, until Ctrl-C.",
    "replay": "Send recorded events again, with their original gaps divided by --speed, as if they happened now.",
    "explain": "Tell the whole story of a session: why its shopper was contacted, or was not, and what happens next.",
    "outreach": "What was made of silent sessions: one contact each, on its way or done.",
    "dead": "Outreaches that were given up: look at them, try them again, or drop them.",
    "unknown": "Outreaches that may or may not have arrived: decide on them.",
    "law": "When and how often people may be contacted, by country and state. Not legal advice.",
    "optout": "People who must not be contacted: phone numbers, e-mail addresses and registers.",
    "person": "What is stored about one person, and everything of it as JSON.",
    "forget": (
        "Remove every trace of a person: sessions, outreaches with request and history, unread events, person keys."
    ),
    "event": "Send events, explain what is wrong with them, print their JSON Schema.",
    "rejected": "What could not be read, and why.",
    "reasons": (
        "Explain every outcome and its reasons, why something is postponed, and name the rules of the contact policy."
    ),
    "rotate-keys": (
        "Encrypt all that is personal in Redis under the first key of `encryption_keys`, while everything runs."
    ),
    "config": "Check the settings, and see where each comes from.",
}
"""Each with its line in the list of `winback --help`, in that order: the first paragraph of its own help.

Each is a function of that name in a module of that name, or the `app` of several. The lines are repeated here because
the list would otherwise import every command.
"""

_MODULES = {"resume": "pause"}
"""Where the module has another name."""

_Runnable = TyperCommand | TyperGroup
_typer = partial(typer.Typer, pretty_exceptions_enable=False, rich_markup_mode="markdown")


class _Commands(TyperGroup):
    """Imports a command when it is asked for: a health check must not wait for what the demo is made of."""

    def list_commands(self, ctx: object) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        """Return what the list shows of a command."""
        del ctx
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: object, args: list[str]) -> tuple[str | None, _Runnable | None, list[str]]:
        """Return the command that is asked for, itself."""
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
    # See winback.cli.main: all that a command needs at its start is there.
    gc.freeze()
    gc.enable()
    return cast("_Runnable", command)


app = _typer(
    name="winback",
    cls=_Commands,
    callback=lambda: None,
    help="Notices shoppers who stop half-way through buying and has each of them contacted once, in time.",
    no_args_is_help=True,
)


def run() -> int | None:
    """Run what the command line says and return the exit code; None is 0.

    A user's mistake ends in its own words and exit code 2, never in a traceback.
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
        return _print_error(str(exc), exit_code(exc))
    except Abort:
        # Ctrl-C, or nobody there to answer: whatever was asked has not been done.
        return _print_error("given up: nothing was changed", 1)
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
