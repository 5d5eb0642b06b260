"""`winback optout`: the list of those who do not want to be contacted."""

import json as jsonlib
from itertools import islice
from typing import Annotated

import typer

from state.optouts import OptOuts
from state.people import person_of
from worker import runtime
from worker.cli import screen
from worker.errors import StartError

Phones = Annotated[list[str], typer.Argument(metavar="PHONE...", help="With + and the country code, or national.")]
InCountry = Annotated[
    str | None, typer.Option("--country", help="Country of numbers without a +: CO, COL or Colombia.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
_BATCH = 1000
_TOLD = 20  # bad lines; the rest is only counted


def add(phones: Phones, *, country: InCountry = None) -> None:
    """Never contact these people again, whatever they abandon, from the next attempt on.

    Kept as a hash of the number under identity_secret, without an end: the number itself is stored nowhere.
    """
    opt_outs, people = _opened(phones, country)
    new = opt_outs.add(people)
    typer.echo(f"{_people(len(people))} opted out; {new} not on the list before")


def remove(phones: Phones, *, country: InCountry = None) -> None:
    """Take people off the list: they may be contacted again."""
    opt_outs, people = _opened(phones, country)
    removed = opt_outs.remove(people)
    typer.echo(f"{_people(removed)} taken off the list; {len(people) - removed} not on it")


def check(phones: Phones, *, country: InCountry = None, json: Json = False) -> None:
    """Say of each whether they are on the list. Exit code 0 when all of them are, else 1."""
    opt_outs, people = _opened(phones, country)
    found = opt_outs.has(people)
    if json:
        rows = [
            {"line": place, "person": person, "opted_out": on}
            for place, (person, on) in enumerate(zip(people, found, strict=True), 1)
        ]
        typer.echo(jsonlib.dumps(rows, indent=2))
    else:
        for phone, on in zip(phones, found, strict=True):
            typer.echo(f"{phone}: {'opted out' if on else 'not on the list'}")
    if not all(found):
        raise typer.Exit(1)


def import_(
    file: Annotated[typer.FileText, typer.Argument(metavar="FILE|-", help="- for stdin.")],
    *,
    country: InCountry = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Put many people on the list: one number a line, or CSV with a column `phone` (and, if you like, `country`).

    Lines of `winback optout export` are taken as well. A line that holds no valid number is named by its place and left
    out; all others are imported, and doing it again changes nothing. Exit code 1 when a line was left out.
    """
    from worker.phone_list import read_people  # noqa: PLC0415 - only here and in the look-ups below

    settings, state = screen.opened("identity_secret")
    opt_outs, secret = OptOuts(state.scripts, state.keys), runtime.identity_secret(settings)
    bad: list[tuple[int, str]] = []
    people: dict[str, None] = {}
    with screen.progress("reading") as bar:
        for line, found in read_people(file, country, secret):
            bar.at("reading", line)
            if found.person:
                people[found.person] = None
            else:
                bad.append((line, found.problem))
    if people and not yes:
        if file.name == "<stdin>":
            raise StartError("stdin is being read, so nobody can be asked: say --yes")
        screen.confirm(f"Opt out {_people(len(people))} ({len(bad)} lines cannot be read)?", yes=False)
    new, left = 0, iter(people)
    with screen.progress("opting out", len(people)) as bar:
        while batch := list(islice(left, _BATCH)):
            new += opt_outs.add(batch)
            bar.advance(len(batch))
    if json:
        lines = [{"line": line, "problem": problem} for line, problem in bad]
        typer.echo(jsonlib.dumps({"opted_out": len(people), "new": new, "left_out": lines}, indent=2))
    else:
        for line, problem in bad[:_TOLD]:
            typer.echo(f"line {line}: {problem}", err=True)
        if len(bad) > _TOLD:
            typer.echo(f"and {len(bad) - _TOLD:,} more lines were left out", err=True)
        typer.echo(f"{_people(len(people))} opted out; {new} not on the list before; {len(bad)} lines left out")
    if bad:
        raise typer.Exit(1)


def export(*, json: Json = False) -> None:
    """Print everybody on the list, one a line: hashes only, for nothing else is stored.

    They mean something only with the identity_secret they were made with; `winback optout import` takes them there.
    """
    _, state = screen.opened()
    people = sorted(OptOuts(state.scripts, state.keys))
    typer.echo(jsonlib.dumps(people, indent=2) if json else "\n".join(people), nl=bool(people) or json)


def _opened(phones: list[str], country: str | None) -> tuple[OptOuts, list[str]]:
    settings, state = screen.opened("identity_secret")
    secret = runtime.identity_secret(settings)
    people = [person_of(number(phone, country), secret) for phone in phones]
    return OptOuts(state.scripts, state.keys), people


def number(text: str, country: str | None) -> str:
    """Return a phone number as E.164.

    Raises:
        StartError: it is none, or the country is unknown.
    """
    from detectors.normalize import countries, phones  # noqa: PLC0415 - the numbering plans of the world take a while to load

    code = countries.country(country) if country else None
    if country and code is None:
        raise StartError(f"--country: {country[:64]!r} is not a country: write CO, COL or Colombia")
    found = phones.phone(text, code)
    if found is None:
        way_out = "" if code else ", or name its --country"
        raise StartError(f"{text[:32]!r} is not a valid phone number: write it with + and the country code{way_out}")
    return found


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


app = typer.Typer(
    name="optout",
    help="Those who do not want to be contacted.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("add")(add)
app.command("remove")(remove)
app.command("check")(check)
app.command("import")(import_)
app.command("export")(export)
