"""Findings about outreaches: whether the workers keep up, and which ones need an operator's decision. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.lanes import milliseconds
from state.overview import Overview
from worker.monitoring.finding import Finding, span

SLOW_OUTBOX = timedelta(minutes=5)
"""An outreach that has been due for longer counts as a backlog."""


def due(overview: Overview) -> Finding:
    """Report whether due outreaches are sent in time."""
    outbox = overview.outbox
    late = overview.now_ms - outbox.first_due_ms if outbox.due_now and outbox.first_due_ms is not None else 0
    if late <= milliseconds(SLOW_OUTBOX):
        return Finding("outbox", "ok", f"{outbox.due_now:,} due now, {outbox.leased:,} in flight; nothing is late")
    if overview.sending.sending_state != "on":
        return Finding("outbox", "ok", f"{outbox.due_now:,} due now, the first for {span(late)}: sending is blocked")
    text = f"due now: {outbox.due_now:,} outreaches, the first for {span(late)}: the workers don't keep up"
    return Finding(
        "outbox",
        "warn",
        text,
        "after an outage, no action is needed; otherwise raise delivery.rate, or check recover's log",
    )


def decisions(overview: Overview) -> Iterator[Finding]:
    """Report the outreaches that need an operator's decision."""
    dead, unknown = overview.outbox.dead, overview.outbox.unknown
    wait = [
        (f"{unknown:,} unknown, which may have been sent", "winback unknown list", unknown),
        (f"{dead:,} dead", "winback dead list", dead),
    ]
    if said := [(text, command) for text, command, number in wait if number]:
        text = f"outreaches need an operator's decision: {', '.join(text for text, _ in said)}"
        yield Finding("decisions", "note", text, ", ".join(command for _, command in said))
