"""Evaluates an overview: one finding for each possible problem, in words for the engineer on call. Pure."""

from state.overview import Overview
from state.stored_records import ROLES
from worker.monitoring.checks import (
    backlog,
    collectors,
    deliveries,
    events,
    flow,
    messages,
    orders,
    outbox,
    outcomes,
    privacy,
    problems,
    processes,
    recording,
    roles,
    sending,
    server,
)
from worker.monitoring.checks.progress import progress
from worker.monitoring.checks.streams import streams
from worker.monitoring.finding import MARKS, Finding, Mark, clock_time, megabytes, span
from worker.monitoring.heartbeats import MISSED_HEARTBEATS, Liveness, interval_ms, liveness
from worker.settings import Settings

__all__ = [
    "MARKS",
    "MISSED_HEARTBEATS",
    "Finding",
    "Liveness",
    "Mark",
    "clock_time",
    "findings",
    "interval_ms",
    "liveness",
    "megabytes",
    "span",
]


def findings(overview: Overview, settings: Settings) -> list[Finding]:
    """Evaluate everything in an overview. Checks without a problem are included."""
    return [
        *server.findings(overview),
        *(roles.running(role, overview, settings) for role in ROLES),
        *roles.sweeps(overview, settings),
        events.lag(overview),
        *events.backlog(overview, settings),
        *collectors.findings(overview, settings),
        *deliveries.findings(overview),
        *events.unread_streams(overview),
        *processes.namespaces(overview),
        *streams(overview),
        *events.reopened(overview, settings),
        *problems.findings(overview),
        *roles.missing_key(overview, settings),
        *processes.findings(
            overview,
            {role: MISSED_HEARTBEATS * interval_ms(role, settings, overview.sweep_interval_ms) for role in ROLES},
        ),
        *orders.findings(overview),
        sending.finding(overview, settings),
        *events.silence(overview),
        *flow.findings(overview, settings),
        outbox.due(overview),
        *progress(overview, settings),
        *outbox.decisions(overview),
        *outcomes.findings(overview, settings),
        *recording.findings(overview, settings),
        *backlog.findings(overview),
        *messages.findings(overview),
        *privacy.findings(overview),
        events.rejected(overview),
    ]
