"""Findings about the event flow: whether events arrive, how late, and what is missing or wrong in them. Pure."""

from collections.abc import Iterator, Mapping
from math import sqrt

from detectors.lanes import milliseconds
from state import event_flow as flow
from state.event_flow import EventFlow
from state.overview import Overview
from worker.monitoring.finding import Finding, span
from worker.settings import Settings

FIRST_EVENT = "winback event emit --session first --stage checkout --platform web"
FEWEST_TIMED, FEWEST_INSPECTED = 20, 20
"""Events of the last hour without which their lateness, or their fields, say nothing."""
FEWEST_SILENT, FEWEST_USUAL = 20, 100
"""Silent sessions of the last hour, and of the days before, without which a share says nothing."""
SURE = 3.3
"""Standard deviations of chance that a rise must exceed."""
NOTABLE_SHARE = 0.05
"""Part of the inspected events from which on a warning is shown."""
_MOST_NAMES = 5
WARNINGS: Mapping[str, str] = {
    "total_mismatch": "totals that don't match the items",
    "epoch_time": "times written as numbers",
    "no_time_zone": "times without a time zone",
    "clock_ahead": "times in the future",
    "clock_hours_off": "times that are whole hours off",
}
"""Code of a warning → its text."""


def findings(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Judge the event flow."""
    yield arrivals(overview, settings)
    yield lateness(overview.flow, settings)
    yield unreachable(overview.flow, settings)
    yield fields(overview.flow)
    yield warnings(overview.flow)


def arrivals(overview: Overview, settings: Settings) -> Finding:
    """Judge whether events arrive. An event that ingest hasn't read yet has arrived."""
    found, limit = overview.flow, settings.alarms.no_events_after
    if overview.events.waiting:
        return Finding("arrivals", "ok", f"{overview.events.waiting:,} events wait for ingest")
    if found.last_ms is None:
        text = "no event has arrived yet, or none in the last 30 days"
        return Finding("arrivals", "note", text, f"send one: {FIRST_EVENT}")
    ago_ms = max(0, overview.now_ms - found.last_ms)
    if limit is not None and ago_ms > milliseconds(limit) and overview.silent_since_ms is None:
        text = f"no event has arrived for {span(ago_ms)}, longer than alarms.no_events_after"
        hint = f"check the shop's log for errors of its Redis client (URL, password, TLS); test with: {FIRST_EVENT}"
        return Finding("arrivals", "fail", text, hint)
    return Finding("arrivals", "ok", f"the last event arrived {span(ago_ms)} ago")


def lateness(found: EventFlow, settings: Settings) -> Finding:
    """Judge how long after their time events arrive."""
    limit, median_ms = settings.alarms.lateness_limit, median_lateness_ms(found)
    if median_ms is None:
        return Finding("lateness", "ok", "too few events of the last hour have a time")
    text = f"half of the events arrive {span(median_ms)} or more after their occurred_at"
    if limit is None or median_ms <= milliseconds(limit):
        return Finding("lateness", "ok", text)
    hint = "check the clock and time zone of the shop's host, and whether it sends events in batches"
    return Finding("lateness", "warn", f"{text}; alarms.lateness_limit is less", hint)


def median_lateness_ms(found: EventFlow) -> int | None:
    """Return the median of arrival minus occurred_at (ms), exact to a quarter; None: too few events had a time."""
    counts = found.lateness
    if sum(counts.values()) < FEWEST_TIMED:
        return None
    half, before = sum(counts.values()) / 2, 0
    for bits in sorted(counts):
        if before + counts[bits] >= half:
            low, high = (1 << bits) // 2, 1 << bits
            return int(low + (high - low) * (half - before) / counts[bits]) if bits else 0
        before += counts[bits]
    return None


def unreachable(found: EventFlow, settings: Settings) -> Finding:
    """Compare the share of silent sessions without a name, phone or country with the shop's usual share."""
    silent, missing = found.hour.get(flow.SILENT, 0), found.hour.get(flow.UNREACHABLE, 0)
    if not silent:
        return Finding("unreachable", "ok", "no session fell silent in the last hour")
    share = missing / silent
    text = f"{missing:,} of {silent:,} sessions that fell silent in the last hour are unreachable"
    if silent < FEWEST_SILENT or found.usual_silent < FEWEST_USUAL:
        return Finding("unreachable", "ok", f"{text}; too few to compare with the shop's usual share")
    usual = found.usual_unreachable / found.usual_silent
    text += f" ({share:.0%}); usually {usual:.0%}"
    chance = sqrt(max(usual * (1 - usual), 0.01) / silent)
    if share - usual < max(settings.alarms.unreachable_rise / 100, SURE * chance):
        return Finding("unreachable", "ok", text)
    hint = "compare the shop's events with the reference (winback event check): name, phone_number and country_code"
    return Finding("unreachable", "warn", text, hint)


def fields(found: EventFlow) -> Finding:
    """Name the fields that are ignored."""
    unknown, inspected = found.hour.get(flow.UNKNOWN, 0), found.hour.get(flow.INSPECTED, 0)
    if not unknown:
        return Finding("fields", "ok", "no unknown fields in the events of the last hour")
    text = f"{unknown / inspected:.0%} of the events have unknown fields, which are ignored: {names(found)}"
    return Finding("fields", "note", text, "correct misspelled names; winback event check suggests the right one")


def names(found: EventFlow) -> str:
    """Return the most frequent unknown fields with their counts."""
    known = [(name, number) for name, number in found.names.items() if name]
    shown = [f"{name} ({number:,})" for name, number in known[:_MOST_NAMES]]
    more = len(known) - len(shown) + ("" in found.names)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "none"


def warnings(found: EventFlow) -> Finding:
    """Say which mistakes the events have that leave them readable."""
    inspected = found.hour.get(flow.INSPECTED, 0)
    shown = [
        f"{WARNINGS.get(code, code)} ({number / inspected:.0%})"
        for code, number in found.warnings.items()
        if inspected >= FEWEST_INSPECTED and number >= NOTABLE_SHARE * inspected
    ]
    if not shown:
        return Finding("event data", "ok", "no frequent mistakes in the events of the last hour")
    text = f"events of the last hour have {', '.join(shown)}"
    return Finding("event data", "note", text, "winback event check explains them for one event")
