"""`winback event tail`: events as they arrive, and how Winback understood them."""

import json as jsonlib
from typing import Annotated, Literal

import typer

from detectors.normalize.session_ids import stored_as
from detectors.parsing import session_in
from state.errors import StateError
from state.event_follow import Follower
from state.event_stream import StreamEntry
from winback.cli.interrupt import CtrlC
from winback.cli.terminal import opened
from winback.operations.event_view import EventView, view
from worker.server_errors import naming_server

Shown = Literal["activity", "exit", "payment_declined", "payment_pending", "order_completed", "opt_out", "rejected"]


def tail(
    *,
    session: Annotated[str | None, typer.Option(help="Show events of this session only.")] = None,
    event_type: Annotated[Shown | None, typer.Option("--type", help="Show this type only.")] = None,
    last: Annotated[
        int, typer.Option(min=0, max=1000, help="Begin with this number of events that aren't applied yet.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each event.")] = False,
) -> None:
    """Show events as they arrive, as Winback understood them, until Ctrl-C.

    Phone numbers, e-mail addresses and names are masked. Problems and warnings follow their event, also those of
    rejected events. The command removes nothing from the stream. Ingest removes events once they are applied, so some
    events of a busy stream can be missing. Their number is printed at the end.
    """
    settings, state = opened()
    with naming_server(settings), CtrlC() as ctrl_c:
        follower = Follower(state.scripts, state.streams.all(), last=last)
        typer.echo("waiting for events; Ctrl-C ends", err=True)
        for entry in ctrl_c.stoppable(follower):
            if entry is not None and (shown := _wanted(entry, session, event_type)) is not None:
                typer.echo(jsonlib.dumps(shown.data()) if json else "\n".join(shown.lines()))
        follower.stop()
        try:
            missed = follower.missed()
        except StateError:
            return
        if missed:
            typer.echo(f"{missed:,} more events arrived and were applied before they could be shown", err=True)


def _wanted(entry: StreamEntry, session: str | None, event_type: str | None) -> EventView | None:
    found = view(entry)
    if event_type is not None and found.type != event_type:
        return None
    if session is not None:
        named = found.session or session_in(entry.event or b"")
        if not named or stored_as(named) != stored_as(session):
            return None
    return found
