"""`winback doctor`: the problems of this installation, with hints."""

import json as jsonlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Annotated, Literal

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from worker.errors import StartError
from worker.monitoring.health import Finding, Mark
from worker.monitoring.liveness import check_role

CheckedRole = Literal["collect", "ingest", "sweep", "recover", "outcomes", "record", "beat", "flower"]

STYLES: dict[Mark, str] = {"ok": "green", "note": "cyan", "warn": "yellow", "fail": "bold red"}
SHOWN: dict[Mark, str] = {"ok": "ok", "note": "note", "warn": "warn", "fail": "FAIL"}
_MARK, _GAP = 4, 2
PIPED_WIDTH = 1000
"""Characters; a program that reads a pipe needs whole lines."""


def doctor(
    *,
    role: Annotated[
        CheckedRole | None,
        typer.Option(help="Check only that this role runs on this host: one line, for a container's health check."),
    ] = None,
    server_may_be_away: Annotated[
        bool,
        typer.Option(
            "--server-may-be-away",
            help="With --role: don't fail if the server doesn't answer. For a liveness probe, which would restart the "
            "role without bringing the server back.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document with every check.")] = False,
) -> None:
    """Check the settings, the servers and every role, one by one, with a hint for each problem.

    Nothing is changed. The command connects to Yuno's address and sends no request. The exit code is 1 if a check
    fails, else 0. Warnings and notes don't count.
    """
    if server_may_be_away and role is None:
        raise StartError("--server-may-be-away: is about one role: name it with --role")
    found = _examined() if role is None else [check_role(role, server_may_be_away=server_may_be_away)]
    failed = any(finding.mark == "fail" for finding in found)
    if json:
        typer.echo(jsonlib.dumps({"ok": not failed, "checks": [asdict(finding) for finding in found]}, indent=2))
    elif role is not None:
        typer.echo(f"{role}: {found[0].text}")
    else:
        _print(found)
    if failed:
        raise typer.Exit(1)


def _examined() -> list[Finding]:
    # Imported here because it loads the broker's client, and a health check must not wait for that.
    from worker.monitoring.doctor import examine

    return examine()


def _print(found: Sequence[Finding]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table(found))
    console.print(_summary(found))


def table(found: Sequence[Finding]) -> RenderableType:
    """Lay findings out: the mark, the name, the sentence, and the hint on lines of its own."""
    names = max((len(finding.name) for finding in found), default=0)
    return Group(*(part for pair in zip_longest(found, found[1:]) for part in _lines(*pair, names)))


def _lines(finding: Finding, following: Finding | None, names: int) -> Iterator[RenderableType]:
    row = Table.grid(Column(width=_MARK), Column(width=names, no_wrap=True), Column(overflow="fold"), padding=(0, _GAP))
    # Text, not markup: a value in [brackets] is shown as it is.
    row.add_row(Text(SHOWN[finding.mark], STYLES[finding.mark]), Text(finding.name), Text(finding.text))
    yield row
    # Several in a row with the same hint: it is given once, below the last.
    if finding.hint and (following is None or following.hint != finding.hint):
        # Below the name, since a narrow screen would fold it below the sentence.
        yield Padding(Text(f"hint: {finding.hint}", "dim"), (0, 0, 0, _MARK + _GAP), expand=False)


def _summary(found: Sequence[Finding]) -> Text:
    counts = Counter(finding.mark for finding in found)
    if counts["fail"]:
        checks = "1 check fails" if counts["fail"] == 1 else f"{counts['fail']} checks fail"
        return Text(f"\n{checks}, of {len(found)}", STYLES["fail"])
    rest = [f"{n} to {what}" for n, what in ((counts["warn"], "look into"), (counts["note"], "know")) if n]
    return Text(f"\nnothing fails{': ' if rest else ''}{', '.join(rest)}", STYLES["warn" if counts["warn"] else "ok"])
