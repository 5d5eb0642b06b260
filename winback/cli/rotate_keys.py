"""`winback rotate-keys`: encrypt everything under the first key, so that older keys can be removed."""

import json as jsonlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from detectors.lanes import milliseconds
from state import deployment
from state.collectors import Collectors
from state.key_rotation import Rotation, RotationTally
from winback.cli import terminal
from worker import runtime
from worker.errors import StartError

STILL_RUNS = timedelta(seconds=30)
"""A process that hasn't reported a key for this long no longer uses it. Processes report every two seconds."""
MOST_PASSES = 5
"""The last pass finds nothing to do. Values that processes with an older key write during a pass need one more."""
_MOST_PRINTED = 10  # records that can't be decrypted; the rest are only counted

_KINDS = {
    "session": "sessions",
    "outreach": "outreaches",
    "body": "requests",
    "visitor": "visitors",
    "request": "privacy requests",
}
_OF_COLLECTORS = frozenset({"visitor", "request"})

Use = Literal["first", "needed", "used", "lost", "spooled", "unused"]
_UNUSED: Use = "unused"
_KEY_USES: dict[Use, str] = {
    "first": "first key: all new values are encrypted under it",
    "needed": "still needed: some values under it couldn't be encrypted again; run this command again",
    "used": "used within the last 30 s by {}: restart these with the new key first, then run this command again",
    "spooled": "maybe used in the spool of collector {}: start it, so that it delivers, then run this command again",
    "lost": "lost: values under it can't be read any more",
    "unused": "no longer used: remove it from WINBACK_ENCRYPTION_KEYS",
}


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The remaining uses of one key."""

    id: str
    use: Use
    values: int
    processes: Sequence[str]
    """The processes that encrypt with it, as host:pid; if `spooled`, the collectors."""


def rotate_keys(
    *,
    lost: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A key that is lost: give up the values encrypted under it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before giving up a lost key.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Encrypt all personal data in Redis under the first key of `encryption_keys`, while everything runs.

    To change the key, put the new one first in the list, restart ingest, recover and collect, and run this command.
    Then remove the keys that it lists as no longer used. The first run encrypts data that was stored without a key. You
    can stop the command and run it again.

    With --lost, the command counts the data under the lost key and asks before it gives the key up. That data can't be
    read any more: its people aren't contacted, and their outreaches expire.

    Exit code 1 if a value couldn't be encrypted again.
    """
    settings, state = terminal.opened("identity_secret", "encryption_keys")
    lost_keys = tuple(lost or ())
    _require_lost(lost_keys, state)
    if lost_keys:
        _confirm_loss(state, lost_keys, yes=yes)
    runtime.join_deployment(state, settings, lost=lost_keys)
    tally, rewritten = _passes(state)
    known = {*state.cipher.ids, *deployment.recorded_keys(state.scripts, state.keys)}
    # A key that only values refer to was given up before.
    lost_before = [key_id for key_id in tally.values if key_id and key_id not in known]
    uses = [_use(state, key_id, tally, (*lost_keys, *lost_before)) for key_id in _every_key(state, tally)]
    for use in uses:
        if use.use in {"unused", "lost"}:
            deployment.forget_key(state.scripts, state.keys, use.id)
    _report(state, tally)
    _print(tally, rewritten, uses, json=json)
    if tally.changed or tally.rewritten or tally.unreadable:
        raise typer.Exit(1)


def _require_lost(lost: Sequence[str], state: runtime.State) -> None:
    in_use = deployment.recorded_keys(state.scripts, state.keys) if lost else []
    for key_id in lost:
        if key_id in state.cipher.ids:
            raise StartError(f"--lost {key_id}: this key is in encryption_keys, so it isn't lost")
        if key_id not in in_use:
            raise StartError(f"--lost {key_id}: no such key is in use; in use: {', '.join(in_use) or 'none'}")
        if processes := _running_with(state, key_id):
            has = f"{', '.join(processes)} encrypted with it within the last {STILL_RUNS.seconds} s"
            raise StartError(f"--lost {key_id}: {has}, so it isn't lost: stop these processes, or add the key")


def _confirm_loss(state: runtime.State, lost: Sequence[str], *, yes: bool) -> None:
    """Show how much data is under the lost keys, and ask, before anything is written.

    Raises:
        typer.Exit: the answer is no.
    """
    tally = RotationTally()
    for _ in Rotation(state.scripts, state.keys, state.cipher, dry_run=True).steps(tally):
        pass
    for key_id in lost:
        held = ", ".join(
            f"{tally.holders[key_id, kind]:,} {words}"
            for kind, words in _KINDS.items()
            if tally.holders[key_id, kind] or kind not in _OF_COLLECTORS
        )
        text = f"key {key_id}: {tally.values[key_id]:,} values in {held}, of {tally.records:,} records in all"
        typer.echo(text, err=True)
    if not yes:
        terminal.confirm("Give all of that up? It can't be read again without the key.", yes=False)


def _running_with(state: runtime.State, key_id: str) -> list[str]:
    now_ms = state.streams.watermark().now_ms
    beats = deployment.key_users(state.scripts, state.keys, key_id)
    return [beat.process for beat in beats if now_ms - beat.at_ms < milliseconds(STILL_RUNS)]


def _passes(state: runtime.State) -> tuple[RotationTally, int]:
    """Scan all keys until a pass finds nothing to do. Return that pass, and the number of rewritten values."""
    console, rewritten = Console(stderr=True), 0
    rotation = Rotation(state.scripts, state.keys, state.cipher)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("keys, pass {task.fields[number]}"))
    tally = RotationTally()
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=None, number=1)
        for number in range(1, MOST_PASSES + 1):
            tally = RotationTally()
            progress.reset(bar, total=rotation.size(), number=number)
            for done in rotation.steps(tally):
                progress.advance(bar, done)
            rewritten += tally.rewritten
            if not tally.rewritten and not tally.changed:
                break
    return tally, rewritten


def _every_key(state: runtime.State, tally: RotationTally) -> list[str]:
    recorded = deployment.recorded_keys(state.scripts, state.keys)
    return list(dict.fromkeys([*state.cipher.ids, *recorded, *(key_id for key_id in tally.values if key_id)]))


def _use(state: runtime.State, key_id: str, tally: RotationTally, lost: Sequence[str]) -> KeyUse:
    processes = _running_with(state, key_id)
    values, use = tally.values[key_id], _UNUSED
    if key_id == state.cipher.ids[0]:
        use = "first"
    elif key_id in lost:
        use = "lost"
    elif processes:
        use = "used"
    elif values:
        use = "needed"
    elif spooling := _spooling(state):
        use, processes = "spooled", spooling
    return KeyUse(key_id, use, values, processes)


def _spooling(state: runtime.State) -> list[str]:
    """Return the collectors that can have events in their spool, which are encrypted as they were accepted."""
    now_ms = state.streams.watermark().now_ms
    marks = Collectors(state.scripts, state.keys).marks()
    return [mark.collector for mark in marks if mark.figures.spool_bytes or mark.is_missing(now_ms)]


def _report(state: runtime.State, tally: RotationTally) -> None:
    problem = ""
    for record, why in tally.unreadable.items():
        problem = f"{record}: {why}; records that can't be decrypted: {len(tally.unreadable):,}"
    deployment.report(state.scripts, state.keys, "encryption", problem)


def _print(tally: RotationTally, rewritten: int, uses: Sequence[KeyUse], *, json: bool) -> None:
    if json:
        document = {
            "records": tally.records,
            "rewritten": rewritten,
            "unreadable": tally.unreadable,
            "keys": {use.id: {"use": use.use, "values": use.values, "processes": list(use.processes)} for use in uses},
        }
        typer.echo(jsonlib.dumps(document, indent=2))
        return
    typer.echo(f"{rewritten:,} values were encrypted again, in {tally.records:,} records")
    for record, why in list(tally.unreadable.items())[:_MOST_PRINTED]:
        typer.echo(f"{record}: {why}")
    if len(tally.unreadable) > _MOST_PRINTED:
        typer.echo(f"... and {len(tally.unreadable) - _MOST_PRINTED:,} more that can't be decrypted")
    for use in uses:
        typer.echo(f"key {use.id}: {use.values:,} values; {_KEY_USES[use.use].format(', '.join(use.processes))}")
