"""The sweep: claims every session that has been silent for too long."""

from datetime import timedelta

from detectors.lanes import LANES_BY_NAME, cut_offs, milliseconds
from state.sessions import Claimed, SilentLane
from tasks.deps import Deps
from tasks.record import REQUIRED

SHORTEST_HOLE = timedelta(seconds=10)
INTERVALS_TO_A_HOLE = 3


def sweep(deps: Deps) -> Claimed:
    """Claim in all partitions, with one version of the settings from start to end.

    A pause of more than three intervals between two sweeps (at least 10 s) counts as a time in which events could not
    be taken, because Redis was away or full: silence is measured from its end.

    Raises:
        StateError: Redis could not be reached; the next sweep goes on where this one stopped.
    """
    settings = deps.detection()
    hole = max(INTERVALS_TO_A_HOLE * settings.sweep_interval, SHORTEST_HOLE)
    reopened_ms = deps.stream.open_sweep(milliseconds(hole))
    mark = deps.stream.watermark()
    lanes = [
        SilentLane(
            lane=cut.lane,
            silent_before_ms=cut.silent_before_ms,
            wait_ms=cut.wait_ms,
            left_alone=cut.left_alone or "",
            from_silence=LANES_BY_NAME[cut.lane].kind.silent_from_expiry,
        )
        for cut in cut_offs(settings, now_ms=mark.now_ms, watermark_ms=mark.until_ms, reopened_ms=reopened_ms)
    ]
    return deps.sessions.claim(lanes, max_age_ms=milliseconds(settings.max_abandonment_age), required=REQUIRED)
