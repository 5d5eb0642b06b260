"""Compares the thresholds that the sweep applies with the settings of this process. Pure."""

from collections.abc import Iterator

from detectors.settings import DetectionSettings
from detectors.written_settings import SettingChange, changes, written
from state.applied_thresholds import AppliedThresholds
from state.overview import Overview
from worker.monitoring.finding import Finding, span
from worker.settings.detection_sources import DetectionSources, Override
from worker.times import near_time

NAME = "thresholds"
STALE_MS = 5 * 60_000
"""A record that is older isn't up to date: sweeps record it once a minute."""
_DEFAULT = "the default"
_DIFFERENT = "give the sweep the same file and environment and restart it, or change the settings here"


def findings(overview: Overview, settings: DetectionSettings | None, here: DetectionSources) -> Iterator[Finding]:
    """Report whether the thresholds in force match the settings here. `settings`: None if they can't be used."""
    overridden = [_overridden(each) for each in here.overrides]
    applied = overview.thresholds
    if applied is None:
        text = "no sweep has recorded its thresholds yet, so they can't be compared with the settings here"
        yield Finding(NAME, "note", text, "start beat and sweep, then run winback doctor again")
    elif settings is None:
        since = near_time(applied.since_ms, overview.now_ms)
        text = f"not compared, since the settings here can't be used; the sweep's thresholds are in force since {since}"
        yield Finding(NAME, "note", text, "fix the settings; winback status shows the thresholds in force")
    else:
        since = near_time(applied.since_ms, overview.now_ms)
        found = changes(applied.settings, written(settings))
        different = [Finding(NAME, "warn", difference(each, applied, here, since), _DIFFERENT) for each in found]
        yield from different
        # An edit that the sweep can't use has its own finding.
        if not different and not overridden and "detection" not in overview.problems:
            yield _agreement(applied, overview.now_ms, since)
    yield from overridden


def difference(change: SettingChange, applied: AppliedThresholds, here: DetectionSources, since: str) -> str:
    """Describe a setting for which the sweep has a different value from this process."""
    theirs, ours = (sources.get(change.setting, _DEFAULT) for sources in (applied.sources, here.origins))
    return (
        f"{change.setting}: the sweep ({applied.process}) applies {change.old} ({theirs}) since {since}; "
        f"the settings here say {change.new} ({ours})"
    )


def _overridden(override: Override) -> Finding:
    text = f"{override.setting}: {override.variable} sets {override.value} and overrides {override.in_file} in the file"
    return Finding(NAME, "warn", text, f"unset {override.variable}, or write its value in the file")


def _agreement(applied: AppliedThresholds, now_ms: int, since: str) -> Finding:
    ago_ms = now_ms - applied.at_ms
    if ago_ms > STALE_MS:
        text = f"no sweep has recorded its thresholds for {span(ago_ms)}; the last ones match the settings here"
        return Finding(NAME, "note", text, "check whether sweeps run")
    return Finding(NAME, "ok", f"the sweep applies the settings here, since {since}")
