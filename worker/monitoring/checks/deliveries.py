"""Findings about requests that collectors refused. Pure."""

from collections.abc import Iterator

from detectors.durations import parse_duration
from detectors.lanes import milliseconds
from state.deliveries import Delivery
from state.overview import Overview
from worker.monitoring.delivery_causes import explained
from worker.monitoring.finding import Finding, Mark, clock_time, span

NAME = "deliveries"
RECENT_MS = milliseconds(parse_duration("1d"))
"""Refusals are a finding this long after the last one."""


def findings(overview: Overview) -> Iterator[Finding]:
    """Judge each source of which a request was refused lately.

    It's a warning if none was accepted since the refusals began. Else some senders are connected, and others aren't.
    """
    for delivery in overview.deliveries:
        if delivery.refused_ms is not None and overview.now_ms - delivery.refused_ms <= RECENT_MS:
            yield _finding(delivery, overview.now_ms)


def _finding(delivery: Delivery, now_ms: int) -> Finding:
    problem, since_ms = explained(delivery.source, delivery.cause), delivery.refused_since_ms or 0
    times = "once" if delivery.refusals == 1 else f"{delivery.refusals:,} times"
    accepted_ms = delivery.accepted_ms
    accepted = "none was ever accepted" if accepted_ms is None else f"last accepted {span(now_ms - accepted_ms)} ago"
    text = (
        f"{delivery.source}: requests refused {times} since {clock_time(since_ms)}, {accepted}; "
        f"the last one: {problem.text}"
    )
    mark: Mark = "warn" if accepted_ms is None or accepted_ms < since_ms else "note"
    return Finding(NAME, mark, text, problem.hint)
