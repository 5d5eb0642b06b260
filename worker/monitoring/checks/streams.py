"""Problems of the streams' entries: ids in the future, and entries that were removed before they were read."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.lanes import milliseconds
from state.overview import Overview
from worker.monitoring.finding import Finding, clock_time, span

RECENT = timedelta(hours=1)
"""A problem is an alarm for this time."""
SLIGHTLY_MS = 60_000
"""Ids that are ahead by less come from a corrected clock, which will soon catch up."""


def streams(overview: Overview) -> Iterator[Finding]:
    """Report the findings of the sweeps."""
    yield _ids(overview)
    yield _lost(overview)


def _ids(overview: Overview) -> Finding:
    found = overview.stream_faults
    if found.ahead_at_ms is None or overview.now_ms - found.ahead_at_ms > milliseconds(RECENT):
        return Finding("ids", "ok", "no event ids are ahead of the server's clock")
    ago = span(max(0, overview.now_ms - found.ahead_at_ms))
    if found.exhausted:
        text = f"{found.ahead_in} accepted no events {ago} ago: an event had the highest possible id"
        hint = "ingest resets the stream once it has applied its entries; let producers use XADD with *"
        return Finding("ids", "fail", text, hint)
    text = (
        f"ids in {found.ahead_in} were {span(found.ahead_ms)} ahead of the server's clock {ago} ago: "
        "its clock was ahead, or a producer chose its ids"
    )
    hint = "ids are reset once the stream is empty; check the server's clock, and let producers use XADD with *"
    return Finding("ids", "warn" if found.ahead_ms >= SLIGHTLY_MS else "note", text, hint)


def _lost(overview: Overview) -> Finding:
    found = overview.stream_faults
    if found.lost_at_ms is None or not found.lost:
        return Finding("lost", "ok", "no event was removed from a stream before it was applied")
    ago_ms = max(0, overview.now_ms - found.lost_at_ms)
    text = (
        f"events were removed from a stream before they were applied: {found.lost:,} in all, the last at "
        f"{clock_time(found.lost_at_ms)}, {span(ago_ms)} ago. Orders or opt-outs may be among them"
    )
    hint = "look for a producer that uses XADD with MAXLEN or MINID, or XTRIM, or XDEL; send the events again"
    return Finding("lost", "fail" if ago_ms <= milliseconds(RECENT) else "note", text, hint)
