"""Findings about messages that wait for workers and delay dispatch. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from detectors.lanes import milliseconds
from state.overview import Overview
from worker.monitoring.finding import Finding, span

LONG: Final = timedelta(seconds=10)
"""A queue that delays dispatch for longer is reported: workers that keep up empty it sooner."""


def findings(overview: Overview) -> Iterator[Finding]:
    """Report a queue that workers don't empty, because of duplicates or slow workers."""
    held = overview.backlog
    if held is None or overview.now_ms - held.since_ms < milliseconds(LONG):
        return
    for_ = span(overview.now_ms - held.since_ms)
    text = f"{held.length:,} messages wait for workers, so no outreach has been dispatched for {for_}"
    hint = "check recover and its log; if another program adds messages, change the broker's password"
    yield Finding("queue", "fail", text, hint)
