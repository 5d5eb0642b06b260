"""Checks whether detection and sending make progress, regardless of the cause of a delay. Pure.

Other checks name causes: a silent role, a server out of memory, a lag of ingest. These check only the result, so that
no cause can stop Winback unnoticed: sessions past their threshold, dispatch rounds, takes and decisions.
"""

from collections.abc import Iterator
from datetime import timedelta

from detectors.idle import IDLE
from detectors.lanes import LANES, LANES_BY_NAME, milliseconds
from state.overview import Overview
from worker.monitoring.finding import Finding, span
from worker.settings import Settings

INTERVALS = 5
LEAST = timedelta(seconds=10)
"""Progress can be missing for this many of its intervals, and for this time in any case."""
_READ_LOG = "see the other checks and the logs of sweep and recover"


def progress(overview: Overview, settings: Settings) -> Iterator[Finding]:
    """Report the progress of detection, dispatch and attempts."""
    yield _detection(overview, settings)
    yield _dispatch(overview, settings)
    yield _attempts(overview, settings)


def overdue_ms(overview: Overview, settings: Settings) -> int:
    """Return how long (ms) the longest unclaimed session has been past its threshold; 0 for none.

    Silence is counted as the sweep counts it: up to the first event that ingest hasn't applied. After a gap it counts
    only once events of an active shopper would have arrived. A gap that ends in the future is ignored.
    """
    if overview.silent_since_ms is not None:
        return 0  # the shop's silence has its own finding
    waits_ms = overview.progress.waits_ms or _waits_ms(settings)
    known_ms = overview.now_ms - overview.lag_ms
    reopened_ms = overview.reopened_ms or 0
    latest = 0
    for name, earliest_ms in overview.earliest_ms.items():
        wait_ms = waits_ms.get(name)
        if wait_ms is None:
            continue
        due_ms = earliest_ms + wait_ms
        if reopened_ms <= overview.now_ms:
            due_ms = max(due_ms, reopened_ms + min(wait_ms, waits_ms.get(_idle(name), wait_ms)))
        latest = max(latest, known_ms - due_ms)
    return latest


def _detection(overview: Overview, settings: Settings) -> Finding:
    late_ms = overdue_ms(overview, settings)
    if late_ms > _patience_ms(overview, settings):
        text = f"sessions passed their threshold {span(late_ms)} ago, and no sweep has claimed them"
        return Finding("detection", "fail", text, _READ_LOG)
    swept_ms = overview.progress.swept_ms
    if swept_ms is None:
        return Finding("detection", "ok", "no sweep has ended yet; no session is past its threshold")
    if overview.now_ms - swept_ms > _patience_ms(overview, settings):
        text = f"no sweep has ended without an error for {span(overview.now_ms - swept_ms)}"
        return Finding("detection", "fail", text, _READ_LOG)
    return Finding("detection", "ok", "no session is past its threshold for longer than a sweep takes")


def _dispatch(overview: Overview, settings: Settings) -> Finding:
    dispatched_ms = overview.progress.dispatched_ms
    if dispatched_ms is None:
        if overview.outbox.due_now and overview.progress.swept_ms is not None:
            return Finding("dispatch", "fail", "outreaches are due, and no dispatch round has ended yet", _READ_LOG)
        return Finding("dispatch", "ok", "no dispatch round has ended yet; no outreach is due")
    ago_ms = overview.now_ms - dispatched_ms
    if ago_ms > max(_patience_ms(overview, settings), INTERVALS * milliseconds(settings.delivery.dispatch_interval)):
        text = f"no dispatch round has ended for {span(ago_ms)}: due outreaches aren't dispatched"
        return Finding("dispatch", "fail", text, "check the log of sweep, and whether the broker answers")
    return Finding("dispatch", "ok", f"the last round ended {span(max(0, ago_ms))} ago")


def _attempts(overview: Overview, settings: Settings) -> Finding:
    found, box = overview.progress, overview.outbox
    lease_ms = milliseconds(settings.delivery.lease)
    patience_ms = _patience_ms(overview, settings)
    if found.undecided_ms is not None and overview.now_ms - found.undecided_ms > lease_ms + patience_ms:
        ago = span(overview.now_ms - found.undecided_ms)
        text = f"workers have taken outreaches for {ago}, and no attempt has ended"
        return Finding("attempts", "fail", text, "check the log of recover, and whether ingest is behind")
    taken_ms = found.taken_ms or 0
    waits_from = []
    if box.leased and box.first_lease_ms is not None:
        waits_from.append(box.first_lease_ms - lease_ms)
    if found.untaken_ms is not None and (box.leased or box.due_now) and overview.sending.sending_state == "on":
        waits_from.append(found.untaken_ms)
    untaken_ms = max((overview.now_ms - at for at in waits_from if at > taken_ms), default=0)
    if untaken_ms > patience_ms:
        text = f"outreaches were dispatched {span(untaken_ms)} ago, and no worker has taken one since"
        return Finding("attempts", "fail", text, "check the log of recover, and the length of its queue in Flower")
    return Finding("attempts", "ok", "no attempt is stalled")


def _patience_ms(overview: Overview, settings: Settings) -> int:
    interval_ms = overview.sweep_interval_ms or milliseconds(settings.detection.sweep_interval)
    return max(INTERVALS * interval_ms, milliseconds(LEAST))


def _waits_ms(settings: Settings) -> dict[str, int]:
    return {lane.name: milliseconds(lane.kind.wait(settings.detection, lane.stage, lane.platform)) for lane in LANES}


def _idle(name: str) -> str:
    lane = LANES_BY_NAME[name]
    return f"{lane.stage}.{lane.platform}.{IDLE.name}"
