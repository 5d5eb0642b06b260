"""`winback forget`: removes every trace of a person."""

import json as jsonlib
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.lanes import LANES
from detectors.normalize.session_ids import stored_as
from state import deployment
from state.forgetting import Forgetting
from state.optouts import OptOuts
from worker import runtime
from worker.cli import screen
from worker.cli.optout import InCountry, Json, number
from worker.errors import StartError

if TYPE_CHECKING:
    from worker.forget import Forgotten, Traces

_WHY_KEPT = {
    "opted_out": "a refusal has to be known to be kept; winback optout remove takes it off the list",
    "consent": "a refusal has to be known to be kept; only an explicit yes takes it back",
    "forgotten": "the moment, for ten minutes: what ingest had in its hands does not bring the person back",
    "reserved": "a contact was made or is under way; until contact.cap has passed this prevents another one",
}
Phone = Annotated[str | None, typer.Option("--phone", help="Whose number it is, with + and the country code.")]
OfSession = Annotated[str | None, typer.Option("--session", help="A session, and with it whoever it is about.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def forget(
    *, phone: Phone = None, country: InCountry = None, session: OfSession = None, yes: Yes = False, json: Json = False
) -> None:
    """Remove every trace of a person: sessions, outreaches with request and history, events that wait, what is noted.

    What waits to be sent is cancelled (`cancelled: forgotten`). A request that is under way at this moment cannot be
    called back: it ends without another attempt, in a record that does not tell who it was about.

    Two things may stay, both under a hash of the number: that the person opted out, since a refusal has to be known to
    be kept; and, until contact.cap has passed, that a contact was made or is under way, since without it their next
    visit could lead to another one at once. Each session leaves a tombstone for 7 days (its id and the moment), so that
    events from before it do not bring the person back; what they do later begins afresh.

    At last all keys are looked at for the number and the sessions: the exit code is 1 if one is left.
    """
    from worker.forget import Forget, someone  # noqa: PLC0415 - see number()

    if (phone is None) == (session is None):
        raise StartError("say either --phone NUMBER or --session SESSION")
    settings, state = screen.opened("identity_secret")
    # Without the keys nobody could be found by their number.
    deployment.require_keys(state.scripts, state.keys, state.cipher.ids)
    forgetting = Forgetting(state.scripts, state.keys, [lane.name for lane in LANES], state.cipher)
    opt_outs, secret = OptOuts(state.scripts, state.keys), runtime.identity_secret(settings)
    who = someone(forgetting, number(phone, country) if phone else None, stored_as(session) if session else None)
    total = forgetting.keys_in_all()
    with screen.progress("looking", total) as bar:
        work = Forget(forgetting, opt_outs, secret, bar.at)
        found = work.survey(who)
    if not json:
        _print_found(found, who.sessions)
    if not yes and found:
        screen.confirm("Remove all of it for good?", yes=False)
    with screen.progress("removing", total) as bar:
        done = Forget(forgetting, opt_outs, secret, bar.at).forget(who, found)
    if json:
        typer.echo(jsonlib.dumps(asdict(done), indent=2))
    else:
        _print_done(done)
    if done.left:
        raise typer.Exit(1)


def _print_found(found: "Traces", sessions: Collection[str]) -> None:
    if not found:
        typer.echo("nothing is kept of them")
        return
    typer.echo(f"found: {_counts(len(found.sessions), len(found.outreaches), len(found.entries), len(found.rejected))}")
    for session in sorted(sessions):
        typer.echo(f"  session {session}")
    for outreach in sorted(found.outreaches):
        typer.echo(f"  outreach {outreach}")
    for key in found.person_keys:
        typer.echo(f"  key {key}")


def _print_done(done: "Forgotten") -> None:
    erased = done.erased
    if erased.sessions or erased.outreaches or erased.skeletons or done.entries or done.rejected or done.person_keys:
        counts = _counts(erased.sessions, erased.outreaches, done.entries, done.rejected)
        typer.echo(f"removed: {counts}, {done.person_keys} keys of the person")
    if erased.skeletons:
        typer.echo(
            f"{erased.skeletons} under way: ends without another attempt, in a record that does not tell who it was"
        )
    if done.opted_out:
        typer.echo("an opt-out of theirs had not been applied yet: they are on the opt-out list now")
    for key in done.kept:
        typer.echo(f"stays: {key}: {_WHY_KEPT[key.rpartition(':')[2]]}")
    if done.left:
        typer.echo(f"NOT everything is gone: looked at {done.looked_at:,} keys, and these still name them:")
        for key in done.left:
            typer.echo(f"  {key}")
    else:
        typer.echo(f"proof: looked at all {done.looked_at:,} keys, and neither the number nor a session is left")


def _counts(sessions: int, outreaches: int, entries: int, rejected: int) -> str:
    return (
        f"{sessions} sessions, {outreaches} outreaches, {entries} events not applied yet, {rejected} rejected entries"
    )
