"""Findings about the recording. Pure."""

from collections.abc import Iterator

from state.overview import Overview
from worker.monitoring.finding import Finding, clock_time, megabytes, span
from worker.settings import Settings

RECORDING = "recording"
_SILENT_MS = 60_000
_RECENT_MS = 24 * 3_600_000
"""How long a loss is reported."""
_NOTABLE = 0.001
"""The part of all events whose loss is more than a note."""


def findings(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Judge the recording. Without a recorder, and without a directory for one, there is no finding."""
    found, now_ms = overview.recorder, overview.now_ms
    if found is None:
        if settings.record.directory is not None:
            text = "record.directory is set, and no recorder has run"
            yield Finding(RECORDING, "warn", text, "start winback record; winback up starts it")
    elif found.is_stopped:
        yield Finding(RECORDING, "note", "the recorder was stopped; events aren't recorded", "start winback record")
    elif now_ms - found.seen_ms > _SILENT_MS:
        text = f"the recorder has not reported for {span(now_ms - found.seen_ms)}; events aren't recorded"
        yield Finding(RECORDING, "fail", text, "start winback record")
    elif found.why:
        text = f"the recording can't be written ({found.why}); events aren't recorded until it can"
        yield Finding(RECORDING, "fail", text, "free space on the disk of record.directory, or lower record.limit_mb")
    elif found.lost_ms is not None and now_ms - found.lost_ms < _RECENT_MS:
        is_notable = found.lost > _NOTABLE * (found.lost + found.written)
        text = f"{found.lost:,} events are missing, the last at {clock_time(found.lost_ms)}; {found.written:,} recorded"
        hint = "the recorder was away, or an erasure removed events that it hadn't written; read its log"
        yield Finding(RECORDING, "warn" if is_notable else "note", text, hint)
    else:
        yield Finding(RECORDING, "ok", f"{found.written:,} events, {megabytes(found.bytes)}")
