"""`winback optout import`: opt people out from files, including a country's registers."""

import json as jsonlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from state.optouts import OF_THE_PERSON, OPERATOR, SHOP, OptOuts, Register
from winback.cli import terminal
from winback.cli.person_options import InCountry, Json, country_code
from worker import runtime
from worker.errors import StartError

if TYPE_CHECKING:
    from winback.operations.optout_import import Import, ImportResult, ParsedFile

_MOST_PRINTED = 20  # lines with a problem; the rest are only counted
_READABLE = 0.5
"""The part of a file that must be readable, and its least size relative to the last import.

Below it, a register isn't replaced without confirmation.
"""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the entries of a file go."""

    source: str
    """Empty: the source in each line, else `operator`."""
    replace: bool
    before: Register | None
    """The last import of that source."""


def import_(
    file: Annotated[
        typer.FileText,
        typer.Argument(metavar="FILE|-", help="- for stdin.", encoding="utf-8", errors="replace"),
    ],
    *,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Name of the list: RNE, REPEP, nao_me_perturbe, ...; default: operator."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole register: remove entries that it lacks.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="With --replace: accept a file that is empty or mostly unreadable.")
    ] = False,
    country: InCountry = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Opt many people out: one number or address a line, or CSV with a column `phone` or `email`.

    A column `country` applies to the line's number. Files of `winback optout export` keep their sources and times. A
    line that can't be read is reported by its number and skipped. All others are imported, and importing a file again
    changes nothing. Exit code 1 if a line has a problem.

    `--source RNE --replace` replaces a register with its current file. New entries are written before old ones are
    removed, so that people in both files stay opted out. `winback doctor` warns about registers older than 30 days.
    """
    settings, state = terminal.opened("identity_secret")
    opt_outs, code = OptOuts(state.scripts, state.keys), country_code(country)
    target = _target(opt_outs, source, replace=replace)
    with _read(file, code, runtime.identity_secret(settings)) as work:
        question = _question(work.read, target, allow_empty=allow_empty)
        if question and not yes:
            _confirm(question, file)
        written = _write(work, opt_outs, target)
    _report(work.read, written, target, json=json)
    if work.read.bad:
        raise typer.Exit(1)


@contextmanager
def _read(file: typer.FileText, country: str, secret: bytes) -> Iterator["Import"]:
    """Read the file. Its entries are available within the context."""
    from winback.operations.optout_file import read_lines  # numbering plans load slowly
    from winback.operations.optout_import import Import

    with Import() as work:
        with terminal.progress("reading") as bar:
            work.take(read_lines(file, country, secret), lambda number: bar.at("reading", number))
        yield work


def _confirm(question: str, file: typer.FileText) -> None:
    if getattr(file, "name", "<stdin>") == "<stdin>":
        raise StartError("the file comes from stdin, so the command can't ask: add --yes")
    terminal.confirm(question, yes=False)


def spelled(source: str, known: Mapping[str, object]) -> str:
    """Return a source in the spelling that was used first: `rne` becomes RNE.

    Raises:
        StartError: the name is invalid.
    """
    from winback.operations.optout_file import SOURCE

    if not SOURCE.fullmatch(source):
        raise StartError(f"--source: {source[:32]!r} is not a name: use letters, digits and _.- (at most 32)")
    names = {name.casefold(): name for name in (*known, *OF_THE_PERSON)}
    return names.get(source.casefold(), source)


def _target(opt_outs: OptOuts, source: str | None, *, replace: bool) -> _Target:
    if source is None:
        if replace:
            raise StartError("--replace: name the register that the file replaces: --source RNE")
        return _Target("", replace, None)
    known = opt_outs.registers()
    source = spelled(source, known)
    if source in OF_THE_PERSON - {OPERATOR, SHOP}:
        raise StartError(f"--source: {source!r} is reserved for Winback's own entries: name a register, such as RNE")
    if replace and source in OF_THE_PERSON:
        raise StartError(f"--replace: {source!r} holds people's own opt-outs, which a file can't replace")
    return _Target(source, replace, known.get(source))


def _question(read: "ParsedFile", target: _Target, *, allow_empty: bool) -> str:
    """Return the question to ask before the file is written; empty for none.

    Raises:
        StartError: a register would lose all its entries, or most of them.
    """
    if not target.replace:
        return f"Opt out {_number(read.entries)} ({_lines(read.bad)} can't be read)?" if read.entries else ""
    total = read.entries + read.bad
    if not allow_empty and (not read.entries or read.entries < _READABLE * total):
        found = f"{_lines(read.bad)} of {total:,} can't be read" if read.bad else "the file is empty"
        raise StartError(
            f"{target.source} was not replaced: {found}, and people missing from it could be contacted. "
            "To replace it anyway, add --allow-empty"
        )
    before = target.before.count if target.before else 0
    if read.entries < _READABLE * before:
        return f"The file has {_number(read.entries)}, {target.source} had {before:,}. Remove the others?"
    return (
        f"Replace {target.source} ({before:,} entries) by {_number(read.entries)} ({_lines(read.bad)} can't be read)?"
    )


def _write(work: "Import", opt_outs: OptOuts, target: _Target) -> "ImportResult":
    at_ms = max(opt_outs.now_ms(), target.before.at_ms + 1 if target.before else 0)
    with terminal.progress("writing", work.read.entries) as bar:
        if target.replace:
            return work.replace(opt_outs, target.source, at_ms, bar.advance)
        return work.write(opt_outs, target.source, at_ms, bar.advance)


def _report(read: "ParsedFile", written: "ImportResult", target: _Target, *, json: bool) -> None:
    if json:
        document = {
            "source": target.source or None,
            "entries": read.entries,
            "new": written.new,
            "removed": written.removed,
            "bad": read.bad,
            "problems": [{"line": line, "problem": problem} for line, problem in read.problems],
        }
        typer.echo(jsonlib.dumps(document, indent=2))
        return
    for line, problem in read.problems[:_MOST_PRINTED]:
        typer.echo(f"line {line}: {problem}", err=True)
    if read.bad > _MOST_PRINTED:
        typer.echo(f"and {read.bad - _MOST_PRINTED:,} more lines have a problem", err=True)
    removed = f"; {written.removed:,} removed" if target.replace else ""
    under = f" under {target.source}" if target.source else ""
    typer.echo(f"{_number(read.entries)} imported{under}; {written.new:,} new on the list{removed}; {_bad(read.bad)}")


def _bad(count: int) -> str:
    return "1 line has a problem" if count == 1 else f"{count:,} lines have a problem"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _number(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"
