"""The last requests to collectors on the screen of `winback status`."""

from collections.abc import Iterator

from state.overview import Overview
from worker.monitoring.finding import span


def delivery_lines(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield the name and text of the line, if a collector accepted a request lately."""
    accepted = [(one.source, one.accepted_ms) for one in overview.deliveries if one.accepted_ms is not None]
    if accepted:
        latest = sorted(accepted, key=lambda pair: -pair[1])
        ages = (f"{source} {span(max(0, overview.now_ms - at_ms))} ago" for source, at_ms in latest)
        yield "collected", ", ".join(ages)
