"""`winback explain`: the reason why a shopper was contacted, or wasn't."""

import json as jsonlib
from typing import Annotated

import typer

from state.inventory import Inventory
from winback.cli import story_screen, terminal
from winback.cli.person_options import Email, InCountry, Phone, data_subject
from winback.operations.person_sessions import sessions_of
from winback.operations.stories import read_story
from worker.errors import StartError
from worker.logs.masking import one_line

_NONE = """no session of this person is known in namespace {namespace!r}. One of these is the reason:
  all their sessions have been silent for more than 7 days, and no contact was planned in the last 30
  their events named another number or address, or none (winback person show lists what is known)
  their events aren't applied yet (winback status), or couldn't be read (winback rejected list)"""
_COLUMNS = ("last_activity", "state", "stage", "outcome", "session")


def explain(
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="The id of a session, outreach, cart, checkout or order.")
    ] = None,
    *,
    phone: Phone = None,
    email: Email = None,
    country: InCountry = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --phone or --email: explain all sessions, not only the newest.")
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show names, numbers, carts and answers as they are.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Explain why the shopper of a session was contacted, or wasn't, and what happens next.

    The id of a cart, checkout or order is known if it reached the collector.

    Shows the stages with their times, the last activity, the silence, the threshold that the sweep applies, the time
    of the claim, each decision with its reason, and each attempt with its status and duration.
    Includes the latest eight outreaches. With --phone or --email: lists the person's sessions, the newest first, and
    explains the newest one. Exit code 1 if the person has no session.

    Personal data is masked unless you pass --reveal. Times are UTC, with the local time of the shopper, or else of
    `contact.default_zone` or `report.time_zone`, in brackets.
    """
    if (session is None) == (phone is None and email is None):
        raise StartError("name either a SESSION, or a person by --phone or --email")
    if session is None:
        _explain_person(phone, email, country, every=every, reveal=reveal, json=json)
        return
    settings, state = terminal.opened()
    story = read_story(state, settings, session, reveal=reveal)
    if json:
        typer.echo(jsonlib.dumps(story, indent=2))
    else:
        story_screen.show(terminal.out(), story)


def _explain_person(
    phone: str | None, email: str | None, country: str | None, *, every: bool, reveal: bool, json: bool
) -> None:
    from winback.operations import person  # the numbering plans of the world load slowly

    settings, state = terminal.opened("identity_secret")
    subject = data_subject(state, settings, phone=phone, country=country, email=email, session=None, lenient=False)
    known = person.read(state, Inventory(state.scripts, state.keys, state.cipher), subject, follow=True)
    listed = sessions_of(known.sessions, known.outreaches)
    if not listed:
        if json:
            typer.echo(jsonlib.dumps({"sessions": [], "stories": []}, indent=2))
        # Neither the number nor the address: the message may end in a log.
        typer.echo(_NONE.format(namespace=settings.namespace), err=True)
        raise typer.Exit(1)
    chosen = listed if every else listed[:1]
    stories = [read_story(state, settings, found["session"], reveal=reveal) for found in chosen]
    if json:
        typer.echo(jsonlib.dumps({"sessions": listed, "stories": stories}, indent=2))
        return
    console = terminal.out()
    heads = [name.replace("_", " ") for name in _COLUMNS]
    terminal.rows(console, heads, [[one_line(found[name] or "-") for name in _COLUMNS] for found in listed])
    for story in stories:
        console.print()
        story_screen.show(console, story)
    if len(listed) > len(stories):
        console.print("\nTo explain another one, run winback explain SESSION.")
