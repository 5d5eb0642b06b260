"""`winback outreach`: every contact that was planned, whatever became of it."""

import json as jsonlib
from enum import StrEnum
from typing import Annotated

import typer

from state.decisions import Operator
from winback.cli import terminal
from winback.cli.bulk_selection import (
    Filter,
    Ids,
    Json,
    Limit,
    OfReason,
    OfStage,
    OlderThan,
    Yes,
    apply_decision,
    choose,
    document,
    find,
    opened,
    read,
    show,
)
from winback.cli.story_screen import print_outreach
from winback.operations.outreach_story import explain_outreach

_OPEN = ("waiting", "leased")


class OutreachState(StrEnum):
    """What an outreach may be."""

    waiting = "waiting"
    leased = "leased"
    sending = "sending"
    sent = "sent"
    cancelled = "cancelled"
    suppressed = "suppressed"
    expired = "expired"
    dead = "dead"
    unknown = "unknown"


def list_outreaches(
    *,
    state: Annotated[
        list[OutreachState] | None, typer.Option("--state", help="Only those in it; may be given several times.")
    ] = None,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List outreaches, the first that was claimed first.

    waiting, leased, sending, dead and unknown are found at once, however many there are: those that are due first, then
    those that ended first, up to --limit. For the other states keys are looked through until there are enough. A
    record is kept for 30 days after its end. Sessions that ended without an outreach (unreachable, expired) have none.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    show(
        find(operator, [one.value for one in state or OutreachState], wanted, now_ms=now_ms, limit=limit),
        json=json,
        nothing="no outreach is like that",
    )


def show_outreach(
    outreach: Annotated[str, typer.Argument(metavar="OUTREACH", help="An id, as `list` shows it.")],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show replies as they are; they might be personal.")] = False,
    json: Json = False,
) -> None:
    """Show one outreach and all that happened to it. `winback explain` tells the story of its session as well."""
    _, state = terminal.opened()
    (record,) = read(Operator(state.scripts, state.keys, state.cipher), [outreach])
    fields = state.sessions.read([record.session])[0].fields if record.session else {}
    story = explain_outreach(record, reveal=reveal, now_ms=state.streams.watermark().now_ms, fields=fields)
    if json:
        typer.echo(jsonlib.dumps({**document(record), "history": story["history"], "next": story["next"]}, indent=2))
    else:
        print_outreach(story)


def expire(
    ids: Ids = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="Every open one that no request was begun for.")] = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End outreaches that no request was begun for: `expired: by_operator`, nobody is contacted.

    `expire --waiting` is for after a restore from a backup: what was due then may have been sent since. Pause first and
    start the roles, for who was about to fall silent in the backup may have been contacted since, too. One that a
    worker has taken in hand ends too, and the worker finds so before it sends. One that is `sending` is never touched:
    its request may be under way; when its worker is gone it becomes `unknown` by itself. One that was ambiguous before
    ends `unknown`, for nobody can say that it was not sent. Exit code 1 when one was left alone.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(
        operator, _OPEN, ids, wanted, every=waiting, now_ms=now_ms, limit=limit, all_of="--waiting for every one"
    )
    apply_decision(chosen, operator.expire, "End", nothing="no outreach waits", yes=yes, json=json)


app = typer.Typer(
    name="outreach",
    help="What was made of silent sessions: one contact each, on its way or done.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_outreaches)
app.command("show")(show_outreach)
app.command("expire")(expire)
