"""Puts events into a stream, and applies them with an ingest process in this process."""

from collections.abc import Iterable
from itertools import islice
from time import sleep
from typing import Any

from worker import runtime
from worker.ingest.consumer import Ingest
from worker.settings import Settings

CHUNK = 5000
BLOCK = {"WINBACK_INGEST__READ_TIMEOUT": "100ms"}
"""So that it ends soon after the last event."""


def ingest(state: runtime.State, settings: Settings) -> Ingest:
    return Ingest(state, settings.ingest, consumer="bench", heartbeat=lambda: None)


def apply(process: Ingest, state: runtime.State, number: int) -> None:
    """Apply this many valid events, which are all that wait."""
    until = process.totals.entries + number
    process.run(lambda: process.totals.entries >= until, sleep)
    assert (process.totals.entries, process.totals.rejected) == (until, 0)
    assert not state.streams.watermark().first


def publish(client: Any, stream: str, entries: Iterable[tuple[str, str]]) -> None:  # noqa: ANN401 - of a server or a cluster
    """Put events into a stream, each as the id of its entry (`*`: it arrives now) and its JSON."""
    left = iter(entries)
    while chunk := list(islice(left, CHUNK)):
        pipe = client.pipeline(transaction=False)
        for entry_id, line in chunk:
            pipe.xadd(stream, {"event": line}, id=entry_id)
        pipe.execute()
