"""The event flow on the screen of `winback status`, and in its JSON document."""

from collections.abc import Iterator, Mapping

from state import event_flow as flow
from state.event_flow import MINUTES, RECENT_MINUTES, EventFlow, events_in
from state.overview import Overview
from worker.monitoring.checks.flow import WARNINGS, median_lateness_ms, names
from worker.monitoring.finding import span

_MOST_TYPES = 8


def flow_lines(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each line: what arrives, and what its data lacks."""
    found = overview.flow
    if found.last_ms is None:
        yield "flow", "no event has arrived yet"
        return
    ago = span(max(0, overview.now_ms - found.last_ms))
    if not found.events:
        yield "flow", f"last event {ago} ago"
        return
    rates = f"{_rate(events_in(found.recent) / RECENT_MINUTES)} a minute ({RECENT_MINUTES} min)"
    hourly = f"{_rate(found.events / MINUTES)} ({MINUTES} min)"
    yield "flow", f"last event {ago} ago; {rates}, {hourly}; last hour: {_by_type(found)}"
    if data := "; ".join(_data(found)):
        yield "data", f"last hour: {data}"


def flow_data(overview: Overview) -> dict[str, object]:
    """Return the event flow as JSON data. Numbers are counts; times are Unix ms or ms."""
    found = overview.flow
    spans = {f"last_{RECENT_MINUTES}_min": found.recent, f"last_{MINUTES}_min": found.hour}
    return {
        "last_event_ms": found.last_ms,
        **{name: _counts(found, counters) for name, counters in spans.items()},
        "median_lateness_ms": median_lateness_ms(found),
        "unknown_fields": {name or "other": number for name, number in found.names.items()},
        "warnings": found.warnings,
        "usual": {"silent": found.usual_silent, "unreachable": found.usual_unreachable},
    }


def _counts(found: EventFlow, counters: Mapping[str, int]) -> dict[str, object]:
    others = (flow.INSPECTED, flow.UNKNOWN, flow.CUSTOMER, flow.NO_PHONE, flow.NO_COUNTRY, flow.SILENT)
    return {
        "events": events_in(counters),
        "by_type": found.by_type(counters),
        **{name: counters.get(name, 0) for name in (flow.REJECTED, flow.PARTIAL, *others, flow.UNREACHABLE)},
    }


def _by_type(found: EventFlow) -> str:
    counts = found.by_type(found.hour)
    shown = [f"{name.removeprefix('activity.')} {number:,}" for name, number in [*counts.items()][:_MOST_TYPES]]
    rest = {"rejected": found.hour.get(flow.REJECTED, 0), "partly applied": found.hour.get(flow.PARTIAL, 0)}
    return ", ".join([*shown, *(f"{number:,} {name}" for name, number in rest.items() if number)])


def _data(found: EventFlow) -> Iterator[str]:
    hour = found.hour
    lateness_ms, customers = median_lateness_ms(found), hour.get(flow.CUSTOMER, 0)
    if lateness_ms is not None:
        yield f"median lateness {span(lateness_ms)}"
    if customers:
        without = {"a usable phone": hour.get(flow.NO_PHONE, 0), "a country": hour.get(flow.NO_COUNTRY, 0)}
        shares = ", ".join(f"{number / customers:.0%} without {name}" for name, number in without.items())
        yield f"of events with a customer {shares}"
    if silent := hour.get(flow.SILENT, 0):
        yield f"{hour.get(flow.UNREACHABLE, 0) / silent:.0%} of {silent:,} silent sessions unreachable"
    if found.names:
        yield f"unknown fields {names(found)}"
    if found.warnings:
        yield ", ".join(f"{WARNINGS.get(code, code)} {number:,}" for code, number in found.warnings.items())


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004 - two digits are enough
