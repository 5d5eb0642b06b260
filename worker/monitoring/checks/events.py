"""Findings about events: whether they arrive, whether ingest keeps up, and rejections. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.idle import IDLE
from detectors.lanes import LANES, milliseconds
from state import event_flow as flow
from state.overview import Overview
from worker.monitoring.finding import Finding, Mark, clock_time, span
from worker.settings import Settings

BEHIND, FAR_BEHIND = timedelta(seconds=10), timedelta(minutes=1)
"""Limits for the lag of the stream. Ingest that keeps up is a second or two behind."""
RECENT = timedelta(hours=1)
"""A rejected event is reported for this time."""
FEWEST_REJECTED, REJECTED_SHARE = 5, 0.2
"""Rejected events of the last hour, and their share of all events, that raise an alarm."""


def lag(overview: Overview) -> Finding:
    """Report how far ingest is behind."""
    events = overview.events
    if overview.lag_ms <= milliseconds(BEHIND):
        return Finding("events", "ok", f"{events.waiting:,} waiting; ingest keeps up")
    text = f"ingest is {span(overview.lag_ms)} behind with {events.waiting:,} events; contacts wait for them"
    mark: Mark = "fail" if overview.lag_ms > milliseconds(FAR_BEHIND) else "warn"
    return Finding("events", mark, text, "start more ingest processes (winback ingest) and check their logs")


def backlog(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Report a stream that grows too long."""
    waiting, most = overview.events.waiting, settings.alarms.backlog_limit
    if waiting > most:
        text = f"{waiting:,} unapplied events, more than alarms.backlog_limit ({most:,}): the stream uses up memory"
        hint = "start more ingest processes and check their logs; if this is usual, raise alarms.backlog_limit"
        yield Finding("stream", "warn", text, hint)


def unread_streams(overview: Overview) -> Iterator[Finding]:
    """Report streams that no ingest process reads."""
    unread_streams = overview.events.unread_streams
    if unread_streams:
        number = max(int(key.rpartition(":")[2]) for key in unread_streams) + 1
        known = f"it reads {overview.events.streams}"
        where = ", ".join(unread_streams)
        text = f"events are in {where}, which ingest doesn't read ({known}); no contact waits for them"
        yield Finding("streams", "fail", text, f"set ingest.streams to {number} or more, and restart ingest")


def reopened(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Report that silence is counted from the end of a gap."""
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
        yield Finding(
            "reopened",
            "note",
            text,
            "no action is needed if you know the cause: the server, the sweep or the shop was down",
        )


def silence(overview: Overview) -> Iterator[Finding]:
    """Report a shop that sends no events."""
    if overview.silent_since_ms is None:
        return
    ago = span(overview.now_ms - overview.silent_since_ms) if overview.silent_since_ms else "an unknown time"
    text = (
        f"no event has arrived for {ago}, longer than detection.max_silence: detection is suspended until one arrives"
    )
    yield Finding("shop", "fail", text, "check whether the shop still sends events; test with winback event emit")


def rejected(overview: Overview) -> Finding:
    """Report recent rejections."""
    last, total = overview.events.last_rejected_ms, overview.events.rejected
    if last is None or overview.now_ms - last > milliseconds(RECENT):
        return Finding("rejected", "ok", "no event was quarantined in the last hour")
    ago, found = span(overview.now_ms - last), overview.flow
    lost, partly = found.hour.get(flow.REJECTED, 0), found.hour.get(flow.PARTIAL, 0)
    text = f"events were rejected, in whole or in part: {total:,} in the last 7 days, the last {ago} ago"
    if lost or partly:
        text += f"; in the last hour {lost:,} of {found.events:,} were rejected and {partly:,} applied in part"
    mark: Mark = "warn" if lost >= FEWEST_REJECTED and lost >= REJECTED_SHARE * found.events else "note"
    return Finding("rejected", mark, text, "winback rejected list gives the reasons")
