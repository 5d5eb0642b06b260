"""A command line that cannot be understood, told in one line that names the thing and the way out."""

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
    """Return the line for what typer refuses; nothing when it has shown the help instead."""
    context: _Context | None = getattr(problem, "ctx", None)
    what = _what(problem)
    command = context.command_path if context else "winback"
    return f"{command}: {what}; {command} --help tells more" if what else ""


def _what(problem: TyperException) -> str:
    parameter: _Parameter | None = getattr(problem, "param", None)
    if not isinstance(problem, BadParameter) or parameter is None:
        message = problem.format_message().strip().removesuffix(".")
        return message[:1].lower() + message[1:]
    is_option = parameter.param_type_name == "option"
    # Of [FILE|-], what is meant is FILE.
    name = "/".join(parameter.opts) if is_option else _NO_NAME.sub("", parameter.metavar or parameter.name)
    return f"{name}: {_why(problem)}"


def _why(problem: BadParameter) -> str:
    from pydantic import ValidationError

    from detectors.validation_messages import plain

    if isinstance(problem.__cause__, ValidationError):
        return ", ".join(plain(detail) for detail in problem.__cause__.errors()).removesuffix(".")
    return problem.message.removesuffix(".") or "is missing"
