"""The page of the commands, from typer's data about each."""

import re
from collections.abc import Iterator
from enum import Enum
from itertools import groupby
from typing import Any, Literal, get_args, get_origin

from winback.cli.commands import COMMANDS, load_command


def commands() -> str:
    """Return a section for each command, with its usage, its text and its options."""
    return "\n".join(line for name in COMMANDS for line in _section(name)).strip()


def _section(name: str) -> Iterator[str]:
    command = load_command(name)
    below = getattr(command, "commands", {})
    yield from (f"## `winback {name}`", "")
    if not below:
        yield from _command(f"winback {name}", command)
        return
    yield from (_text(command.help or COMMANDS[name]), "")
    for each, inner in below.items():
        yield from (f"### `winback {name} {each}`", "")
        yield from _command(f"winback {name} {each}", inner)


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer's class is private
    shown = [param for param in command.params if not param.hidden]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    options = [param for param in shown if param.param_type_name == "option" and param.name != "help"]
    usage = [name, *(["[OPTIONS]"] if options else []), *(_argument(param) for param in arguments)]
    yield from ("```text", " ".join(usage), "```", "", _text(command.help or ""), "")
    rows = [(_argument(param), param.help) for param in arguments if param.help]
    if rows:
        yield from _table("argument", rows)
    for panel, group in groupby(options, key=lambda param: param.rich_help_panel):
        if panel:
            yield from (f"**{panel}**", "")
        yield from _table("option", [(", ".join([*p.opts, *p.secondary_opts]), _described(p)) for p in group])


def _argument(param: Any) -> str:  # noqa: ANN401 - typer's class is private
    text: str = param.metavar or param.name.upper()
    return text if param.required or text.startswith("[") else f"[{text}]"


def _described(param: Any) -> str:  # noqa: ANN401 - typer's class is private
    text: str = " ".join([param.help or "", *_values(param.type_descriptor.annotation)])
    default = param.default
    if param.required:
        return f"{text} Required."
    plain = isinstance(default, str | int | float) and not isinstance(default, bool) and default != ""
    if plain and param.show_default and "efault" not in text:
        return f"{text} Default: `{getattr(default, 'value', default)}`."
    return text


def _values(annotation: object) -> Iterator[str]:
    """Yield a sentence with the values that an option takes, if it takes only a few."""
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        values = tuple(each.value for each in annotation)
    else:
        return
    yield f"Values: {', '.join(f'`{value}`' for value in values)}."


def _table(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    yield from (f"| {title} | meaning |", "|---|---|")
    yield from (f"| {_code(name)} | {_cell(_text(text, newline=' '))} |" for name, text in rows)
    yield ""


def _code(name: str) -> str:
    """Return a name as code in a table: GitHub and the site don't agree on a bar between backticks."""
    return f"<code>{_cell(name)}</code>" if "|" in name else f"`{name}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "&#124;")


def _text(text: str, newline: str = "\n") -> str:
    """Return a help text as Markdown: paragraphs stay, and text that looks like a tag is escaped."""
    text = re.sub(r"<(?=[a-z])", "\\<", text.replace("\b\n", "").replace("\b", ""))
    return text.replace("\n", newline).strip()
