"""The recording on the screen of `winback status`."""

from collections.abc import Iterator

from state.overview import Overview
from worker.monitoring.finding import megabytes


def recording_lines(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield the name and text of its line; none if no recorder has run."""
    found = overview.recorder
    if found is not None:
        lost = f", {found.lost:,} missing" if found.lost else ""
        yield "recording", f"{found.written:,} events{lost}, {megabytes(found.bytes)}"
