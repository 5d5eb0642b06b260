"""The thresholds in force, as `winback status` and `explain` show them."""

from collections.abc import Iterator, Mapping

from state.applied_thresholds import AppliedThresholds
from state.overview import Overview
from worker.monitoring.checks.thresholds import STALE_MS
from worker.monitoring.finding import span
from worker.times import near_time

_IDLE, _BY_PLATFORM = "detection.idle.", "detection.idle_by_platform."
_KINDS = ("exit", "declined", "pending")


def thresholds_shown(overview: Overview, time_zone: str) -> str:
    """Return the thresholds that the sweep applies, on three or four short lines."""
    applied = overview.thresholds
    if applied is None:
        return "not known: no sweep has run yet"
    return "\n".join(_lines(applied, overview.now_ms, time_zone))


def _lines(applied: AppliedThresholds, now_ms: int, time_zone: str) -> Iterator[str]:
    yield _below(applied.settings, _IDLE)
    if own := _below(applied.settings, _BY_PLATFORM):
        yield own
    kinds = (f"{kind} {applied.settings.get(f'detection.{kind}', '-')}" for kind in _KINDS)
    yield ", ".join(kinds)
    ago_ms = now_ms - applied.at_ms
    stale = f", last recorded {span(ago_ms)} ago" if ago_ms > STALE_MS else ""
    yield f"since {near_time(applied.since_ms, now_ms, time_zone)}{stale}"


def _below(settings: Mapping[str, str], prefix: str) -> str:
    return ", ".join(
        f"{name.removeprefix(prefix)} {text}" for name, text in settings.items() if name.startswith(prefix)
    )
