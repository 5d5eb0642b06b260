"""Findings about events: whether they come, whether ingest keeps up, and which it could not read. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.idle import IDLE
from detectors.lanes import LANES, milliseconds
from state import event_flow as flow
from state.overview import Overview
from worker.monitoring.finding import Finding, Mark, clock_time, span
from worker.settings import Settings

BEHIND, FAR_BEHIND = timedelta(seconds=10), timedelta(minutes=1)
"""Lags of the stream. Ingest that keeps up is behind by a second or two."""
RECENT = timedelta(hours=1)
"""For so long a rejected event is news."""
FEWEST_REJECTED, REJECTED_SHARE = 5, 0.2
"""Rejected events of the last hour, and their share of all, from which on that is an alarm."""


def lag(overview: Overview) -> Finding:
    """Judge how far ingest is behind."""
    events = overview.events
    if overview.lag_ms <= milliseconds(BEHIND):
        return Finding("events", "ok", f"{events.waiting:,} waiting; ingest keeps up")
    text = f"ingest is {span(overview.lag_ms)} behind, {events.waiting:,} events wait: contacts wait for them"
    mark: Mark = "fail" if overview.lag_ms > milliseconds(FAR_BEHIND) else "warn"
    return Finding("events", mark, text, "run more of it (winback ingest), and read its log")


def backlog(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Find a stream that grows too long."""
    waiting, most = overview.events.waiting, settings.alarms.backlog_limit
    if waiting > most:
        text = f"{waiting:,} unapplied events, more than alarms.backlog_limit ({most:,}): the stream fills the server"
        hint = "run more of ingest and read its log; if this is usual, raise alarms.backlog_limit"
        yield Finding("stream", "warn", text, hint)


def unread_streams(overview: Overview) -> Iterator[Finding]:
    """Find streams that no ingest reads."""
    unread_streams = overview.events.unread_streams
    if unread_streams:
        number = max(int(key.rpartition(":")[2]) for key in unread_streams) + 1
        known = f"ingest knows of {overview.events.streams}"
        text = f"events are in {', '.join(unread_streams)}, which nobody reads, and for which no contact waits: {known}"
        yield Finding("streams", "fail", text, f"set ingest.streams to {number} or more, and restart ingest")


def reopened(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Say that silence is counted from the end of a gap."""
    if not overview.reopened_ms:
        return
    idle = [lane for lane in LANES if lane.kind is IDLE]
    longest = max(lane.kind.wait(settings.detection, lane.stage, lane.platform) for lane in idle)
    until = overview.reopened_ms + milliseconds(longest)
    if overview.now_ms < until:
        ago = span(overview.now_ms - overview.reopened_ms)
        text = (
            f"no sweeps or no events until {clock_time(overview.reopened_ms)}, {ago} ago: "
            f"silence is counted from then, so some contacts are later than usual until {clock_time(until)}"
        )
        yield Finding("reopened", "note", text, "nothing to do if you know why: the server, sweep or shop was away")


def silence(overview: Overview) -> Iterator[Finding]:
    """Find a shop that sends no events."""
    if overview.silent_since_ms is None:
        return
    ago = span(overview.now_ms - overview.silent_since_ms) if overview.silent_since_ms else "as long as anybody knows"
    text = f"no event has come for {ago}, longer than detection.max_silence: nobody is declared silent until one does"
    yield Finding("shop", "fail", text, "see whether the shop still sends events (winback event emit tries it)")


def rejected(overview: Overview) -> Finding:
    """Say whether events could not be read lately."""
    last, total = overview.events.last_rejected_ms, overview.events.rejected
    if last is None or overview.now_ms - last > milliseconds(RECENT):
        return Finding("rejected", "ok", "no event was set aside within the last hour")
    ago, found = span(overview.now_ms - last), overview.flow
    lost, partly = found.hour.get(flow.REJECTED, 0), found.hour.get(flow.PARTIAL, 0)
    text = f"events could not be read, in whole or in part: {total:,} in the last 7 days, the last {ago} ago"
    if lost or partly:
        text += f"; in the last hour {lost:,} of {found.events:,} were rejected and {partly:,} applied in part"
    mark: Mark = "warn" if lost >= FEWEST_REJECTED and lost >= REJECTED_SHARE * found.events else "note"
    return Finding("rejected", mark, text, "winback rejected list gives the reasons")
