"""`winback unknown`: outreaches of which nobody can say whether their request arrived."""

from typing import Annotated, Literal

import typer

from winback.cli.bulk_selection import (
    All,
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
    find,
    opened,
    show,
)

_STATES = ("unknown",)
_NOTHING = "no outreach is unknown"


def list_unknown(
    *,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """List the outreaches of which nobody can say whether they arrived, for a person to decide.

    Their customers may have been contacted: they count so until it is decided. Ask Yuno about the session, then say
    `resolve --as sent`, or `--as retry` when they never got it. Not decided, they stay as they are.
    """
    operator, now_ms = opened()
    show(
        find(operator, _STATES, Filter(stage, reason, older_than), now_ms=now_ms, limit=limit),
        json=json,
        nothing=_NOTHING,
    )


def resolve(
    ids: Ids = None,
    *,
    how: Annotated[Literal["sent", "retry"], typer.Option("--as", help="They arrived, or are to be sent again.")],
    every: All = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Decide on outreaches that are unknown.

    `sent` corrects the counts: the contact was made. `retry` repeats the very same request with the same idempotency
    key, so that Yuno can recognise it; that is a second contact if it arrived and Yuno does not honour the key. It is
    allowed from 15 minutes after it became unknown (until then the first may still be under way) up to 24 hours after
    the first attempt (for so long Yuno knows the key, and the request is kept), while the session is still abandoned.
    It can then end only as sent or unknown. Exit code 1 when one was left alone.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(operator, _STATES, ids, wanted, every=every, now_ms=now_ms, limit=limit)
    if how == "sent":
        apply_decision(chosen, operator.resolve_sent, "Record as sent", nothing=_NOTHING, yes=yes, json=json)
    else:
        question = "Send the same request again for"
        apply_decision(chosen, operator.retry_unknown, question, nothing=_NOTHING, yes=yes, json=json)


app = typer.Typer(
    name="unknown",
    help="Outreaches that may or may not have arrived: decide on them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_unknown)
app.command("resolve")(resolve)
