"""Report an invalid command line in one line that names the argument and the fix."""

import re
from typing import Protocol

from typer import BadParameter
from typer.exceptions import TyperException

_NO_NAME = re.compile(r"[][{}]|\|-")


class _Context(Protocol):
    command_path: str


class _Parameter(Protocol):
    """An option or an argument; typer's own class is private."""

    param_type_name: str
    opts: list[str]
    metavar: str | None
    name: str


def explained(problem: TyperException) -> str:
    """Return the line for a problem that typer found; empty if typer has shown the help."""
    context: _Context | None = getattr(problem, "ctx", None)
    what = _what(problem)
    command = context.command_path if context else "winback"
    return f"{command}: {what}; for help, run {command} --help" if what else ""


def _what(problem: TyperException) -> str:
    parameter: _Parameter | None = getattr(problem, "param", None)
    if not isinstance(problem, BadParameter) or parameter is None:
        message = problem.format_message().strip().removesuffix(".")
        return message[:1].lower() + message[1:]
    is_option = parameter.param_type_name == "option"
    # Of [FILE|-], the name is FILE.
    name = "/".join(parameter.opts) if is_option else _NO_NAME.sub("", parameter.metavar or parameter.name)
    return f"{name}: {_why(problem)}"


def _why(problem: BadParameter) -> str:
    from pydantic import ValidationError

    from detectors.validation_messages import plain

    if isinstance(problem.__cause__, ValidationError):
        return ", ".join(plain(detail) for detail in problem.__cause__.errors()).removesuffix(".")
    return problem.message.removesuffix(".") or "is missing"
