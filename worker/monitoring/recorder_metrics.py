"""The metrics of the recording. Pure."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from state.overview import Overview
from worker.monitoring.metric_families import counter, gauge


def recorder_metrics(overview: Overview) -> Iterator[Metric]:
    """Return the metrics of the recording; none before a recorder has reported."""
    found = overview.recorder
    if found is None:
        return
    ago_s = max(0, overview.now_ms - found.seen_ms) / 1000
    yield counter("winback_recording_events", "Events that the recorder wrote to files.", (), [((), found.written)])
    yield counter("winback_recording_lost", "Applied events that never reach a file.", (), [((), found.lost)])
    yield gauge("winback_recording_bytes", "Size of the recorder's files.", found.bytes)
    yield gauge("winback_recording_reported_seconds", "How long ago the recorder last reported.", ago_s)
    yield gauge("winback_recording_failing", "1 while the recorder can't write.", int(bool(found.why)))
