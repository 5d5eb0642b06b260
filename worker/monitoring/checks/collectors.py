"""Findings about collectors: whether they run, and whether they hold events back. Pure."""

from collections.abc import Iterator

from detectors.lanes import milliseconds
from state.collectors import TIMES_BEHIND, CollectorMark
from state.overview import Overview
from worker.monitoring.finding import Finding, clock_time, megabytes, span
from worker.settings import Settings

NAME = "collectors"
_START = "start it again with its spool (collect.spool): it delivers what is left"
_READ_LOG = "read its log; it delivers its spool when Redis takes events"


def findings(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Judge all collectors. Without any there is no finding."""
    missing_after_ms = milliseconds(settings.collect.missing_after)
    problems = [
        problem
        for mark in overview.collectors
        if (problem := _problem(mark, overview.now_ms, missing_after_ms)) is not None
    ]
    if problems:
        yield from problems
    elif overview.collectors:
        number = len(overview.collectors)
        which = "1 collector runs" if number == 1 else f"{number} collectors run"
        yield Finding(NAME, "ok", f"{which}; all events that they accepted are in a stream")


def _problem(mark: CollectorMark, now_ms: int, missing_after_ms: int) -> Finding | None:
    if mark.is_missing(now_ms):
        return _missing(mark, now_ms, missing_after_ms)
    if mark.figures.damaged_bytes and not mark.figures.spool_bytes:
        return _damaged(mark)
    if not mark.is_behind(now_ms):
        return None
    text = (
        f"collector {mark.collector} has held undelivered events for {span(now_ms - mark.until_ms)} "
        f"({megabytes(mark.figures.spool_bytes)})"
    )
    if mark.counts(now_ms, missing_after_ms):
        until = clock_time(mark.until_ms + TIMES_BEHIND * missing_after_ms)
        return Finding(NAME, "fail", f"{text}: no silence is measured and nothing is sent until {until}", _READ_LOG)
    return Finding(NAME, "fail", f"{text}: silence is measured without them again", _READ_LOG)


def _damaged(mark: CollectorMark) -> Finding:
    lost = f"collector {mark.collector} has lost events: {mark.figures.damaged_bytes} bytes of its spool can't be read"
    hint = (
        "see docs/guides/collect.md, Quarantined records: add a missing key or replace the disk, rename or delete "
        "quarantined.records, then start the collector again"
    )
    return Finding(NAME, "fail", lost, hint)


def _missing(mark: CollectorMark, now_ms: int, missing_after_ms: int) -> Finding:
    text = f"collector {mark.collector} has disappeared {span(now_ms - mark.seen_ms)} ago and may hold events"
    if mark.counts(now_ms, missing_after_ms):
        until = clock_time(mark.seen_ms + missing_after_ms)
        return Finding(NAME, "fail", f"{text}: no silence is measured and nothing is sent until {until}", _START)
    return Finding(NAME, "fail", f"{text}: silence is measured without it again", _START)
