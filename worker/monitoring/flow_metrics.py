"""The event flow as Prometheus metrics: counts of the last hour and of the last minutes. Pure."""

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import Metric

from detectors.event_warnings import Code
from detectors.flow import STAGES, EventType
from state import event_flow as flow
from state.event_flow import RECENT_MINUTES, EventFlow
from state.overview import Overview
from worker.monitoring.checks.flow import median_lateness_ms
from worker.monitoring.metric_families import gauge, gauges

_PLACES = ("", *STAGES)


def flow_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the metrics. They have no field names, because a label needs a fixed list."""
    found = overview.flow
    if found.last_ms is not None:
        ago_s = max(0, overview.now_ms - found.last_ms) / 1000
        yield gauge("winback_events_last_seconds", "Time since the last event arrived.", ago_s)
    by_type = found.by_type(found.recent)
    rates = [
        ((kind, stage), by_type.get(f"{kind}.{stage}" if stage else kind, 0) / RECENT_MINUTES)
        for kind in get_args(EventType)
        for stage in _PLACES
    ]
    yield gauges("winback_events_per_minute", "Events per minute, last 5 minutes.", ("type", "stage"), rates)
    yield gauges(
        "winback_events_unreadable",
        "Events of the last hour that were rejected, or applied in part.",
        ("part",),
        _counts(found, flow.REJECTED, flow.PARTIAL),
    )
    yield gauges(
        "winback_events_inspected",
        "Inspected events of the last hour, and how many of them have unknown fields or lack a field.",
        ("found",),
        _counts(found, flow.INSPECTED, flow.UNKNOWN, flow.CUSTOMER, flow.NO_PHONE, flow.NO_COUNTRY),
    )
    warned = [(code, found.warnings.get(code, 0)) for code in get_args(Code)]
    yield gauges("winback_events_warned", "Inspected events of the last hour by mistake.", ("mistake",), warned)
    median_ms = median_lateness_ms(found)
    if median_ms is not None:
        text = "Median time from an event to its arrival, last hour."
        yield gauge("winback_events_lateness_seconds", text, median_ms / 1000)
    yield gauges(
        "winback_sessions_last_hour",
        "Sessions of the last hour that fell silent, and those of them that were unreachable.",
        ("outcome",),
        _counts(found, flow.SILENT, flow.UNREACHABLE),
    )


def _counts(found: EventFlow, *names: str) -> list[tuple[str, int]]:
    return [(name, found.hour.get(name, 0)) for name in names]
