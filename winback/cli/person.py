"""`winback person`: show or export the stored data about one person."""

import json as jsonlib
from typing import Annotated

import typer

from state.inventory import Inventory
from tasks.erasure.data_subject import DataSubject
from winback.cli import person_screen, terminal
from winback.cli.grouped_options import grouped_options
from winback.cli.person_options import Exact, Json, PersonOptions
from worker.runtime import State
from worker.settings import Settings

Reveal = Annotated[bool, typer.Option("--reveal", help="Show numbers and addresses as they are.")]


@grouped_options
def show(
    *,
    named: PersonOptions,
    exact: Exact = False,
    reveal: Reveal = False,
    json: Json = False,
) -> None:
    """Show a person: identities, opt-out, consent with its proof, limits used, sessions, contacts and the next step.

    Reads the person's own keys and the sessions in their index (the latest 50 per identity). `winback person export`
    scans everything. Personal data is masked unless you pass --reveal. Times are UTC. Exit code 1 if nothing is stored.
    """
    from tasks.erasure.personal_data import Finder
    from winback.operations import person  # numbering plans load slowly

    settings, state, subject = _opened(named)
    inventory = Inventory(state.scripts, state.keys, state.cipher)
    known = person.read(state, inventory, subject, follow=not exact)
    finder = Finder(inventory, lambda _what, _number: None)
    story = person.story(known, settings, inventory, reveal=reveal)
    story["unread_events"] = sum(
        1 for one in finder.unread(subject) if one.event is None or subject.has_event(one.event)
    )
    if json:
        typer.echo(jsonlib.dumps(story, indent=2))
    else:
        person_screen.show(terminal.out(), story)
    if not (known.keys or known.sessions or known.outreaches or story["unread_events"]):
        raise typer.Exit(1)


@grouped_options
def export(
    *,
    named: PersonOptions,
    exact: Exact = False,
) -> None:
    """Write everything that is stored about a person as one JSON document (GDPR articles 15 and 20, LGPD article 18).

    Sessions with all their fields, outreaches with their requests and histories, the person's keys, events that aren't
    applied yet and rejected entries, all decrypted.

    Identities that were seen together with the named ones are included, unless you pass --exact or many people share
    them. Make sure that they belong to the same person before you hand the document over.

    At the end all keys are scanned for data that the document lacks. The exit code is 1 if there is any, and its keys
    are named on stderr and under `missed`. The document holds personal data: write it to a protected file.
    """
    from winback.operations.person_export import export as exported  # numbering plans load slowly

    _, state, subject = _opened(named)
    inventory = Inventory(state.scripts, state.keys, state.cipher)
    with terminal.progress("reading", inventory.key_count()) as bar:
        done = exported(inventory, subject, bar.at, follow=not exact)
    typer.echo(jsonlib.dumps(done.document, indent=2, ensure_ascii=False))
    if done.missed:
        typer.echo(f"NOT complete: of {done.searched:,} keys scanned, these hold more about them:", err=True)
        for key in done.missed:
            typer.echo(f"  {key}", err=True)
        raise typer.Exit(1)
    typer.echo(f"complete: scanned all {done.searched:,} keys", err=True)


def _opened(named: PersonOptions) -> tuple[Settings, State, DataSubject]:
    settings, state = terminal.opened("identity_secret")
    # Ambiguous data is left out, because it could be another person's.
    return settings, state, named.data_subject(state, settings, lenient=False)


app = typer.Typer(
    name="person",
    help="Show or export the stored data about one person.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("show")(show)
app.command("export")(export)
