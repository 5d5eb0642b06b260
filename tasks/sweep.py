"""The sweep: claims every session that has been silent for too long."""

import structlog

from detectors.durations import format_duration
from detectors.lanes import LANES, LANES_BY_NAME, cut_offs, milliseconds
from detectors.session_fields import REQUIRED
from detectors.settings import DetectionSettings
from state.claims import Claimed, SilentLane
from state.event_streams import Watermark
from tasks import order_flow
from tasks.deps import Deps

log = structlog.get_logger("winback.tasks")


def sweep(deps: Deps) -> Claimed:
    """Claim in all partitions, with one version of the settings from start to end.

    A gap between sweeps or dispatches counts as a time in which events couldn't be taken, because Redis was down or out
    of memory. Silence is then measured from its end. The length of a gap depends on the measured intervals, not on the
    settings (`state/lua/open_sweep.lua`). The same holds if the whole shop was silent for longer than `max_silence`. In
    the meantime no session is claimed: events were missing, and an active shopper must have the time to send another
    one.

    Raises:
        StateError: Redis couldn't be reached; the next sweep continues where this one stopped.
    """
    settings = deps.detection()
    deps.record_thresholds(settings)
    deps.record_day_zone()
    deps.record_silences(settings)
    waits_ms = {lane.name: milliseconds(lane.kind.wait(settings, lane.stage, lane.platform)) for lane in LANES}
    if lost := deps.streams.check():
        log.error("events_lost", entries=lost, reason="they were removed from the stream before they were applied")
    # Before the sweep is opened, since silence can start again with it.
    silent, changed = deps.streams.shop_silence(milliseconds(settings.max_silence) if settings.max_silence else 0)
    reopened_ms = deps.streams.open_sweep(milliseconds(settings.sweep_interval))
    if changed:
        _log_silence(settings, silent=silent)
    if silent:
        deps.stamps.swept(waits_ms)
        return Claimed(0, 0)
    mark = deps.streams.watermark()
    order_flow.check_orders(settings, deps, until_ms=mark.until_ms)
    claimed = deps.sessions.claim(
        _silent_lanes(settings, mark, reopened_ms),
        max_age_ms=milliseconds(settings.max_abandonment_age),
        required=REQUIRED,
        each_round=deps.streams.confirm_writable,
    )
    deps.stamps.swept(waits_ms)
    return claimed


def _silent_lanes(settings: DetectionSettings, mark: Watermark, reopened_ms: int) -> list[SilentLane]:
    """Return the time since when sessions of each lane have been silent for too long."""
    return [
        SilentLane(
            lane=cut.lane,
            silent_before_ms=cut.silent_before_ms,
            wait_ms=cut.wait_ms,
            suppress_reason=cut.suppress_reason or "",
            measure_from_expiry=LANES_BY_NAME[cut.lane].kind.measure_from_expiry,
            checked_ms=mark.now_ms,
        )
        for cut in cut_offs(settings, now_ms=mark.now_ms, watermark_ms=mark.until_ms, reopened_ms=reopened_ms)
    ]


def _log_silence(settings: DetectionSettings, *, silent: bool) -> None:
    if silent and settings.max_silence is not None:
        log.warning(
            "shop_silent", longer_than=format_duration(settings.max_silence), claimed="no sessions until events resume"
        )
    else:
        log.info("shop_events_resumed")
