"""Lanes: the queues of silent sessions, and the cut-offs that make sessions abandoned."""

from dataclasses import dataclass
from datetime import timedelta

from detectors.flow import PLATFORMS, STAGES, Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.registry import KINDS
from detectors.settings import DetectionSettings


@dataclass(frozen=True, slots=True)
class Lane:
    """`<stage>.<platform>.<kind>`: sessions of the same sort, ordered by the start of their silence."""

    stage: Stage
    platform: Platform
    kind: Kind

    @property
    def name(self) -> str:
        """The lane's name in its Redis key."""
        return f"{self.stage}.{self.platform}.{self.kind.name}"


LANES: tuple[Lane, ...] = tuple(Lane(s, p, k) for s in STAGES for p in PLATFORMS for k in KINDS)
LANES_BY_NAME: dict[str, Lane] = {lane.name: lane for lane in LANES}


@dataclass(frozen=True, slots=True)
class CutOff:
    """The range that one sweep claims from a lane: all sessions silent since `silent_before_ms` or longer."""

    lane: str
    silent_before_ms: int
    wait_ms: int
    """The applied threshold, kept with the outreach."""
    suppress_reason: str | None
    """If set, the sessions are suppressed for this reason instead of contacted."""


def cut_offs(
    settings: DetectionSettings, *, now_ms: int, watermark_ms: int, reopened_ms: int = 0
) -> tuple[CutOff, ...]:
    """Return the cut-offs of one sweep. All times are Unix ms of the state server's clock.

    Silence counts up to `watermark_ms`, the arrival of the first event that isn't applied yet. Without one, it counts
    up to `now_ms`. So unread events never make a session silent.

    After a gap that ended at `reopened_ms`, a lane is checked again once an active shopper would have sent another
    event. That takes the lane's own wait, or the idle wait of its stage if it is shorter: a voucher can wait for a day,
    and daily deployments must not keep its lane closed.
    """
    until_ms = min(now_ms, watermark_ms)
    found = []
    for lane in LANES:
        wait_ms = milliseconds(lane.kind.wait(settings, lane.stage, lane.platform))
        silent_before_ms = until_ms - wait_ms
        observed_ms = min(wait_ms, milliseconds(idle_wait(settings, lane.stage, lane.platform)))
        if until_ms - observed_ms >= reopened_ms:
            found.append(CutOff(lane.name, silent_before_ms, wait_ms, lane.kind.suppress_reason(settings)))
    return tuple(found)


def milliseconds(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // timedelta(milliseconds=1)
