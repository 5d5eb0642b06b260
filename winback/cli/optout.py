"""`winback optout`: the list of people who must not be contacted."""

import json as jsonlib
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from state.optouts import DIRECT, LINKED, OF_THE_PERSON, Entries, OptOuts, Register
from state.people import person_of
from tasks.delivery.payload import timestamp
from winback.cli import optout_files, terminal
from winback.cli.person_options import InCountry, Json, country_code
from worker import runtime
from worker.errors import StartError

Contacts = Annotated[
    list[str],
    typer.Argument(metavar="CONTACT...", help="Phone numbers (with + and the country code, or national) or e-mails."),
]
OneSource = Annotated[str | None, typer.Option("--source", help="Only the entry of this source, such as RNE.")]


def add(contacts: Contacts, *, country: InCountry = None) -> None:
    """Opt people out: from the next attempt on, they aren't contacted.

    Takes phone numbers and e-mail addresses in any spelling. If one can be read in two ways, both readings are added.
    Identities that were seen together with one of them are opted out as well. The list holds hashes under
    `identity_secret`, without a TTL, and not the number or address itself.
    """
    opt_outs, people = _opened(contacts, country)
    known = [any(found) for found in _entries(opt_outs, people)]
    for each in people:
        opt_outs.add(each)
    typer.echo(f"{_people(len(people))} opted out; {known.count(False)} new on the list")


def remove(contacts: Contacts, *, country: InCountry = None, source: OneSource = None) -> None:
    """Take people off the list: they can be contacted again.

    Removes entries from `add`, from the shop's events and from imports without a source, for every identity of the
    person. An entry of a register (RNE, REPEP, ...) stays unless you name it with --source. It returns with the next
    import that has it. A refusal (`customer.consent`) isn't an opt-out and stays until the shopper gives consent.

    Exit code 1 if one of the people is still on the list, unless you named a source.
    """
    opt_outs, people = _opened(contacts, country, one_reading=True)
    sources = OF_THE_PERSON if source is None else {_known(opt_outs, source)}
    removed = [any(opt_outs.remove(each, sources)) for each in people]
    left = _entries(opt_outs, people)
    typer.echo(f"{_people(sum(removed))} taken off{f' {source}' if source else ''}; {removed.count(False)} not on it")
    for contact, entries in zip(contacts, left, strict=True):
        if entries:
            typer.echo(f"{contact}: still opted out: {_sources(entries)}{_hint(entries)}")
    if any(left) and source is None:
        raise typer.Exit(1)


def check(contacts: Contacts, *, country: InCountry = None, json: Json = False) -> None:
    """Show whether people are on the list, with the sources and dates.

    Sources: `shop` (events), `operator` (this command), `linked` (opted out under a number or address that was seen
    together with this one) and registers by their name. Exit code 0 if all of them are on the list, else 1.
    """
    opt_outs, people = _opened(contacts, country)
    found = _entries(opt_outs, people)
    if json:
        rows = [
            {"line": place, "people": each, "opted_out": bool(entries), "sources": _times(entries)}
            for place, (each, entries) in enumerate(zip(people, found, strict=True), 1)
        ]
        typer.echo(jsonlib.dumps(rows, indent=2))
    else:
        for contact, entries in zip(contacts, found, strict=True):
            typer.echo(f"{contact}: {'opted out: ' + _sources(entries) if entries else 'not on the list'}")
    if not all(found):
        raise typer.Exit(1)


def export(*, json: Json = False) -> None:
    """Print the list as CSV, in no order: the hash of each identity, its source and the time it was recorded.

    The hashes are valid only with the `identity_secret` that made them. `winback optout import` reads the file.
    """
    from winback.operations.optout_file import EXPORTED  # numbering plans load slowly

    _, state = terminal.opened()
    rows = (
        (person, source, at or "")
        for person, entries in OptOuts(state.scripts, state.keys).everyone()
        for source, at in _times(entries).items()
    )
    if json:
        _stream_json({"person": person, "source": source, "recorded_at": at or None} for person, source, at in rows)
        return
    typer.echo(",".join(EXPORTED))
    for row in rows:
        typer.echo(",".join(row))


def sources(*, json: Json = False) -> None:
    """List the sources with their number of entries, and for registers the last import and its number of lines."""
    _, state = terminal.opened()
    opt_outs = OptOuts(state.scripts, state.keys)
    counts: dict[str, int] = {}
    with terminal.progress("reading") as bar:
        for _, entries in opt_outs.everyone():
            bar.advance(1)
            for source in entries:
                counts[source] = counts.get(source, 0) + 1
    registers = opt_outs.registers()
    names = sorted({*counts, *registers})
    if json:
        typer.echo(jsonlib.dumps([_document(name, counts, registers) for name in names], indent=2))
    elif not names:
        typer.echo("the list is empty")
    else:
        heads = ("source", "entries", "last import", "lines")
        terminal.rows(terminal.out(), heads, [_row(name, counts, registers) for name in names])


def _opened(
    contacts: Sequence[str], country: str | None, *, one_reading: bool = False
) -> tuple[OptOuts, list[list[str]]]:
    """Return the list, and for each contact the hashes of every identity that it can mean.

    With `one_reading`, a number that can be read in several ways is refused: it could remove strangers from the list.
    """
    settings, state = terminal.opened("identity_secret")
    secret = runtime.identity_secret(settings)
    people = [_hashes(contact, country, secret, one_reading=one_reading) for contact in contacts]
    return OptOuts(state.scripts, state.keys), people


def _hashes(contact: str, country: str | None, secret: bytes, *, one_reading: bool) -> list[str]:
    from winback.operations.contact_input import explained, read  # numbering plans load slowly

    code = country_code(country)
    found = read(contact, code)
    for problem in explained(contact, found, code):
        if one_reading or not found.identities:
            raise StartError(problem)
        typer.echo(f"{problem}. All of them count", err=True)
    return [person_of(identity, secret) for identity in found.identities]


def _entries(opt_outs: OptOuts, people: Sequence[Sequence[str]]) -> list[Entries]:
    """Return the entries of each person, merged over their identities. Of one source, the earliest counts."""
    found = iter(opt_outs.entries([person for each in people for person in each]))
    merged: list[Entries] = []
    for each in people:
        entries: dict[str, int] = {}
        for _ in each:
            for source, at_ms in next(found).items():
                entries[source] = min(at_ms, entries.get(source, at_ms))
        merged.append(entries)
    return merged


def _known(opt_outs: OptOuts, source: str) -> str:
    """Return a source as it was first spelled."""
    return optout_files.spelled(source, opt_outs.registers())


def _times(entries: Entries) -> dict[str, str | None]:
    return {source: timestamp(at_ms) if at_ms else None for source, at_ms in entries.items()}


def _sources(entries: Entries) -> str:
    return ", ".join(f"{source} {at[:10] if at else '(date unknown)'}" for source, at in _times(entries).items())


def _hint(entries: Entries) -> str:
    registers = [source for source in entries if source not in OF_THE_PERSON]
    return f" (winback optout remove --source {registers[0]})" if registers else ""


def _document(name: str, counts: dict[str, int], registers: dict[str, Register]) -> dict[str, object]:
    register = registers.get(name)
    return {
        "source": name,
        "kind": name if name == LINKED else "direct" if name in DIRECT else "register",
        "entries": counts.get(name, 0),
        "last_import": timestamp(register.at_ms) if register and register.at_ms else None,
        "lines": register.count if register else None,
    }


def _row(name: str, counts: dict[str, int], registers: dict[str, Register]) -> tuple[str, str, str, str]:
    register = registers.get(name)
    imported = (terminal.moment(register.at_ms), f"{register.count:,}") if register else ("-", "-")
    return (name, f"{counts.get(name, 0):,}", *imported)


def _stream_json(rows: Iterator[dict[str, object]]) -> None:
    """Print a JSON list row by row, because it can have millions of rows."""
    before = "["
    for row in rows:
        typer.echo(f"{before}\n  {jsonlib.dumps(row)}", nl=False)
        before = ","
    typer.echo("\n]" if before == "," else "[]")


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


app = typer.Typer(
    name="optout",
    help="Manage the people who must not be contacted: phone numbers, e-mail addresses and registers.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("add")(add)
app.command("remove")(remove)
app.command("check")(check)
app.command("import")(optout_files.import_)
app.command("export")(export)
app.command("sources")(sources)
