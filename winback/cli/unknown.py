"""`winback unknown`: outreaches whose request might or might not have arrived."""

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
    """List outreaches whose request might or might not have arrived, for an operator to decide on.

    Until you decide, their customers count as contacted. Ask Yuno about the session. If the request arrived, run
    `resolve --as sent`. If it didn't, run `resolve --as retry`. Without a decision they stay unknown.
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
    how: Annotated[Literal["sent", "retry"], typer.Option("--as", help="sent: they arrived. retry: send them again.")],
    every: All = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Decide on outreaches that are unknown.

    `sent` records that the contact was made, and corrects the counts. `retry` repeats the same request with the same
    idempotency key, so that Yuno can recognise it. If the first request arrived and Yuno doesn't honour the key, that
    is a second contact.

    A retry is possible only while the session is still abandoned, from 15 minutes after the outreach became unknown to
    24 hours after the first attempt. Before that, the first request might still be in flight. After that, Yuno no
    longer recognises the key, and Winback has deleted the request. A retried outreach can only end as sent or unknown.
    Exit code 1 if an outreach was not changed.
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
    help="List or resolve outreaches that might have arrived.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_unknown)
app.command("resolve")(resolve)
