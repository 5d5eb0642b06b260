"""`winback forget`: removes every trace of a person."""

import json as jsonlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.lanes import LANES
from state.erasure import Erasure
from state.optouts import OptOuts
from winback.cli import terminal
from winback.cli.grouped_options import grouped_options
from winback.cli.person_options import Exact, Json, PersonOptions
from worker.logs.masking import mask_identity
from worker.runtime import State

if TYPE_CHECKING:
    from tasks.erasure.data_subject import DataSubject
    from tasks.erasure.forget import Forget, ForgetResult
    from tasks.erasure.personal_data import PersonalData, Progress

_WHY_KEPT = {
    "opted_out": "an opt-out has to be known to be kept; winback optout remove takes it off the list",
    "consent": "a refusal has to be known to be kept: its time and channel stay, its proof doesn't",
    "forgotten": "the moment, for ten minutes: events that ingest had already read don't bring the person back",
    "reserved": "contacts made or in flight: until the limits no longer count them, they prevent another one",
}
Scan = Annotated[
    bool, typer.Option("--scan", help="Look through every key, and prove that nothing is left; takes minutes.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


@grouped_options
def forget(
    *, named: PersonOptions, exact: Exact = False, scan: Scan = False, yes: Yes = False, json: Json = False
) -> None:
    """Remove every trace of a person: sessions, outreaches with request and history, unread events, person keys.

    A session stands for its phone number and its e-mail address. Identities that were seen together with the named
    ones are removed as well, unless you pass --exact or many people share them.

    Outreaches that wait are cancelled (`cancelled: forgotten`). A request in flight can't be called back. It ends
    without another attempt, in a record without personal data.

    Three things can stay, all of them under a hash: that the person opted out or refused, because that has to be known
    to be kept, and the times of contacts until the limits no longer count them. Without these, the next visit could
    lead to another contact immediately. Each session leaves a tombstone for 7 days (its id and the moment), so that
    earlier events don't bring the person back. Later events start from scratch.

    Sessions are found by the person's own index, which takes as long as there is to find. With --scan, or if the index
    is full (the latest 50 sessions per identity), every key is read: that also finds what no index names, such as a
    session whose number can't be read, or a number in a free field. At the end all keys are scanned once more for the
    number, the address and the sessions. The exit code is 1 if one is left. Without --scan such data goes with its TTL.

    The server's logs of slow and large commands are emptied: they can hold names and numbers.
    """
    settings, state = terminal.opened("identity_secret")
    subject = named.data_subject(state, settings, lenient=True)
    work = _Work(state, follow=not exact, scan=scan)
    found = work.find(subject)
    if not json:
        _print_found(found, subject, scanned=work.scans)
    if not yes and found:
        terminal.confirm("Remove all of it for good?", yes=False)
    done = work.remove(subject, found)
    if json:
        typer.echo(jsonlib.dumps(asdict(done), indent=2))
    else:
        _print_done(done)
    if done.left:
        raise typer.Exit(1)


class _Work:
    """The two passes, each with its progress on the terminal."""

    def __init__(self, state: State, *, follow: bool, scan: bool) -> None:
        self._forgetting = Erasure(state.scripts, state.keys, [lane.name for lane in LANES], state.cipher)
        self._opt_outs = OptOuts(state.scripts, state.keys)
        self._follow = follow
        self.scans = scan
        """Whether every key is read: as asked, or because an index is full."""
        self._total = self._forgetting.key_count()

    def find(self, subject: "DataSubject") -> "PersonalData":
        """Return all traces, and add to `subject` what they lead to."""
        with terminal.progress("reading", self._total) as bar:
            survey = self._pass(bar.at)
            found = survey.survey(subject)
        self.scans = survey.scans
        return found

    def remove(self, subject: "DataSubject", found: "PersonalData") -> "ForgetResult":
        """Remove what was found, and what turns up in the meantime."""
        with terminal.progress("removing", self._total) as bar:
            return self._pass(bar.at).forget(subject, found)

    def _pass(self, progress: "Progress") -> "Forget":
        from tasks.erasure.forget import Forget  # numbering plans load slowly

        return Forget(self._forgetting, self._opt_outs, progress, follow=self._follow, scan=self.scans)


def _print_found(found: "PersonalData", subject: "DataSubject", *, scanned: bool) -> None:
    for identity in subject.linked:
        typer.echo(f"{mask_identity(identity)} was seen together with them and is removed as well (not with --exact)")
    for identity in subject.shared:
        typer.echo(f"{mask_identity(identity)} is shared by many people: what is linked to it stays")
    if not found:
        typer.echo("nothing is stored about them" if scanned else "their index names nothing")
        return
    typer.echo(f"found: {_counts(len(found.sessions), len(found.outreaches), len(found.entries), len(found.rejected))}")
    if found.outcomes:
        typer.echo(f"       {_number(len(found.outcomes), 'outcome')} in the feed or on their way to it")
    for session in sorted(subject.sessions):
        typer.echo(f"  session {session}")
    for outreach in sorted(found.outreaches):
        typer.echo(f"  outreach {outreach}")
    for key in found.person_keys:
        typer.echo(f"  key {key}")
    if found.waiting:
        typer.echo(f"  {_number(len(found.waiting), 'record')} of visitors with data that waits for a session")
    for request in found.data_requests:
        typer.echo(f"  request {request} for a copy of their data")


def _print_done(done: "ForgetResult") -> None:
    erased = done.erased
    if erased.sessions or erased.outreaches or erased.skeletons or done.entries or done.rejected or done.person_keys:
        counts = _counts(erased.sessions, erased.outreaches, done.entries, done.rejected)
        typer.echo(f"removed: {counts}, {_number(done.person_keys, 'key')} of the person")
    if done.waiting:
        typer.echo(f"removed: {_number(done.waiting, 'record')} of visitors with data that waited for a session")
    if done.data_requests:
        requests = _number(done.data_requests, "open request")
        typer.echo(f"closed: {requests} for a copy of their data: nothing is left to hand out")
    if done.outcomes:
        typer.echo(f"removed: {_number(done.outcomes, 'outcome')} from the feed")
    if done.mentions:
        typer.echo(f"removed: {_number(done.mentions, 'mention')} in keys of other people")
    if erased.skeletons:
        typer.echo(f"{erased.skeletons} in flight: ends without another attempt, in a record without personal data")
    if done.opted_out:
        typer.echo("an opt-out of theirs hadn't been applied yet: they are on the opt-out list now")
    if done.refused:
        typer.echo("a refusal of theirs hadn't been applied yet: it is recorded now")
    _print_rest(done)


def _print_rest(done: "ForgetResult") -> None:
    for key in done.kept:
        typer.echo(f"stays: {key}: {_WHY_KEPT[key.rpartition(':')[2]]}")
    for request in done.erasures:
        typer.echo(f"stays: request {request} to erase them: it runs by itself (winback collect requests)")
    if done.left:
        typer.echo(f"NOT everything is gone: of {done.searched:,} keys scanned, these still name them:")
        for key in done.left:
            typer.echo(f"  {key}")
    elif done.searched:
        typer.echo(f"proof: scanned all {done.searched:,} keys; no number, address or session of theirs is left")
    else:
        typer.echo("nothing that their index names is left; to look through every key, add --scan")
    if not done.slow_log_cleared:
        typer.echo(
            "the server doesn't let this user empty its slow log, which can hold names and numbers: SLOWLOG RESET"
        )


def _counts(sessions: int, outreaches: int, entries: int, rejected: int) -> str:
    parts = (
        _number(sessions, "session"),
        _number(outreaches, "outreach", "outreaches"),
        _number(entries, "event not applied yet", "events not applied yet"),
        _number(rejected, "rejected entry", "rejected entries"),
    )
    return ", ".join(parts)


def _number(count: int, one: str, several: str = "") -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {several or one + 's'}"
