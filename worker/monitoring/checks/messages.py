"""Findings about messages and commands from the broker that workers refused. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from detectors.lanes import milliseconds
from state.overview import Overview
from worker.monitoring.finding import Finding, span

RECENT: Final = timedelta(hours=1)
"""A refusal is reported for this time."""
REMOTE_CONTROL: Final = "remote_control"
"""The reason under which commands are counted. All others are reasons for messages."""
_HINT: Final = "find the program that has the broker's password and isn't Winback, and change the password"


def findings(overview: Overview) -> Iterator[Finding]:
    """Report refusals of the last hour. The counts are those of the last days."""
    refused = overview.refused
    if refused.last_ms is None or overview.now_ms - refused.last_ms > milliseconds(RECENT):
        return
    ago = span(max(0, overview.now_ms - refused.last_ms))
    commands = refused.counts.get(REMOTE_CONTROL, 0)
    if messages := refused.total - commands:
        reasons = ", ".join(
            f"{why} {number:,}" for why, number in sorted(refused.counts.items()) if why != REMOTE_CONTROL
        )
        text = f"workers refused {messages:,} messages that aren't Winback's ({reasons}), the last refusal {ago} ago"
        yield Finding("messages", "warn", text, _HINT)
    if commands:
        text = f"workers refused {commands:,} commands by remote control, the last refusal {ago} ago"
        yield Finding("control", "warn", text, _HINT)
