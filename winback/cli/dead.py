"""`winback dead`: outreaches that Yuno refused permanently, or that used up their attempts."""

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
from winback.cli.outreach import show_outreach

_STATES = ("dead",)
_NOTHING = "no outreach is dead"


def list_dead(
    *,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """List dead outreaches, for an operator to decide on.

    Reasons: `http_400.CODE` is Yuno's answer. `attempts_used_up`: every attempt failed. `stops_its_worker`: it
    repeatedly crashed its worker. `winback explain` shows the full history of one.
    """
    operator, now_ms = opened()
    show(
        find(operator, _STATES, Filter(stage, reason, older_than), now_ms=now_ms, limit=limit),
        json=json,
        nothing=_NOTHING,
    )


def retry(
    ids: Ids = None,
    *,
    every: All = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send dead outreaches again, beginning with the first attempt. Fix the cause first, such as a wrong endpoint.

    An outreach can be retried only while its session is still abandoned by it and not too old for a contact. Otherwise
    the command prints the reason.

    The request is built again from the session, with the same idempotency key, because it is certain that no person
    was contacted. The contact policy is checked again. Exit code 1 if an outreach was not changed.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(operator, _STATES, ids, wanted, every=every, now_ms=now_ms, limit=limit)
    apply_decision(chosen, operator.retry_dead, "Retry", nothing=_NOTHING, yes=yes, json=json)


def drop(
    ids: Ids = None,
    *,
    every: All = False,
    stage: OfStage = None,
    reason: OfReason = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Drop dead outreaches permanently. They are no longer listed here and can't be retried.

    Their outcome stays `dead` with its reason, in their record and in every count. Exit code 1 if an outreach was not
    changed.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(operator, _STATES, ids, wanted, every=every, now_ms=now_ms, limit=limit)
    apply_decision(chosen, operator.drop, "Drop", nothing=_NOTHING, yes=yes, json=json)


app = typer.Typer(
    name="dead",
    help="List, retry or drop outreaches that failed.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_dead)
app.command("show")(show_outreach)
app.command("retry")(retry)
app.command("drop")(drop)
