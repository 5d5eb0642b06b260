"""`winback dead`: outreaches that were refused for good, or used up their attempts."""

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
    """List the outreaches that are dead and wait for a person's decision.

    The reason says why: http_400.CODE is what Yuno answered, attempts_used_up that it answered too often that it could
    not, stops_its_worker that workers died of it. `winback explain` tells the whole story of one.
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
    """Try dead outreaches again, from the first attempt on: after the cause is mended, such as a wrong endpoint.

    Only while the session is still abandoned by that outreach and not too old for a contact; otherwise it says why not.
    The request is built anew from the session, with the same idempotency key: that nobody was contacted is certain. The
    contact policy is asked again. Exit code 1 when one was left alone.
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
    """Give dead outreaches up for good: they are not listed here any more and cannot be retried.

    Their outcome stays `dead` with its reason, in their record and in every count. Exit code 1 when one was left alone.
    """
    operator, now_ms = opened()
    wanted = Filter(stage, reason, older_than)
    chosen = choose(operator, _STATES, ids, wanted, every=every, now_ms=now_ms, limit=limit)
    apply_decision(chosen, operator.drop, "Drop", nothing=_NOTHING, yes=yes, json=json)


app = typer.Typer(
    name="dead",
    help="Outreaches that were given up: look at them, try them again, or drop them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_dead)
app.command("show")(show_outreach)
app.command("retry")(retry)
app.command("drop")(drop)
