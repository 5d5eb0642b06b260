"""`winback outreach`: every planned contact and its outcome."""

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
    """The states of an outreach."""

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
        list[OutreachState] | None, typer.Option("--state", help="Only outreaches in this state; can be repeated.")
    ] = None,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List outreaches, in the order in which they were claimed.

    The states waiting, leased, sending, dead and unknown are indexed. Up to --limit, the list has those that are due
    first, then those that ended first. For the other states the command scans keys until it has enough.

    A record is kept for 30 days after its end. Sessions that ended without an outreach (unreachable, expired) have no
    record.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    show(
        find(operator, [one.value for one in state or OutreachState], wanted, now_ms=now_ms, limit=limit),
        json=json,
        nothing="no outreach matches",
    )


def show_outreach(
    outreach: Annotated[str, typer.Argument(metavar="OUTREACH", help="An id, as shown by `list`.")],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show replies as they are; they might be personal.")] = False,
    json: Json = False,
) -> None:
    """Show one outreach with its history. `winback explain` also shows its session."""
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
    waiting: Annotated[bool, typer.Option("--waiting", help="Every open outreach whose request hasn't begun.")] = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End outreaches whose request hasn't begun. Their outcome is `expired: by_operator`; no person is contacted.

    Use `expire --waiting` after you restore a backup, because outreaches that were due in the backup might have been
    sent since. Pause sending first and then start the roles: shoppers about to fall silent in the backup might have
    been contacted since, too.

    A leased outreach ends too, and its worker finds that out before it sends. An outreach that is `sending` isn't
    changed, because its request might be in flight. If its worker is gone, it becomes `unknown`. An outreach with an
    earlier ambiguous attempt ends `unknown`, because it might have been sent. Exit code 1 if one was not changed.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(operator, _OPEN, ids, wanted, every=waiting, now_ms=now_ms, limit=limit, all_of="--waiting for all")
    apply_decision(chosen, operator.expire, "End", nothing="no outreach is waiting", yes=yes, json=json)


app = typer.Typer(
    name="outreach",
    help="List outreaches, show one with its history, or expire them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_outreaches)
app.command("show")(show_outreach)
app.command("expire")(expire)
