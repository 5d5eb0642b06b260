"""The thresholds for a session: those that the sweep applies, not those of the settings here. Pure."""

from detectors.lanes import Lane
from detectors.settings import DetectionSettings
from detectors.written_settings import changes, read_written, written
from state.applied_thresholds import AppliedThresholds
from winback.operations.session_story import setting_of
from worker.monitoring.checks.thresholds import difference
from worker.settings.detection_sources import DetectionSources
from worker.times import written_time


def in_force(applied: AppliedThresholds | None, here: DetectionSettings) -> DetectionSettings:
    """Return the settings that the sweep applies; those here before the first sweep, or if the record can't be read."""
    return (applied and read_written(applied.settings)) or here


def threshold_source(
    applied: AppliedThresholds | None, settings: DetectionSettings, here: DetectionSources, lane: Lane, time_zone: str
) -> str:
    """Describe in one line since when the sweep applies a lane's threshold, and how the settings here differ."""
    theirs = read_written(applied.settings) if applied else None
    if applied is None or theirs is None:
        return "from the settings here: no sweep has recorded its thresholds yet"
    since = written_time(applied.since_ms, time_zone)
    names = {setting_of(theirs, lane), setting_of(settings, lane)}
    for change in changes(applied.settings, written(settings)):
        if change.setting in names:
            return f"{difference(change, applied, here, since)}: restart the sweep, or change the settings here"
    return f"applied by the sweep since {since}"
