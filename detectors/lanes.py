"""Lanes: where silent sessions wait, and which of them have waited long enough."""

from dataclasses import dataclass
from datetime import timedelta

from detectors.flow import PLATFORMS, STAGES, Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.registry import KINDS
from detectors.settings import DetectionSettings


@dataclass(frozen=True, slots=True)
class Lane:
    """`<stage>.<platform>.<kind>`: sessions of the same sort, ordered by when they fell silent."""

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
    """What one sweep takes from a lane: everybody silent since `silent_before_ms` or longer."""

    lane: str
    silent_before_ms: int
    wait_ms: int
    """The threshold that was applied; kept with the outreach."""
    suppress_reason: str | None
    """When set, the sessions are settled as suppressed for this reason instead of being contacted."""


def cut_offs(
    settings: DetectionSettings, *, now_ms: int, watermark_ms: int, reopened_ms: int = 0
) -> tuple[CutOff, ...]:
    """Say what a sweep may take; all times are Unix ms of the state server's clock.

    Silence counts up to `watermark_ms`, the arrival of the first event that nobody has applied yet (or `now_ms` when
    there is none): nobody is declared silent on the strength of events that nobody has read. After a time in which
    events could not be taken, up to `reopened_ms`, a lane is looked at again once an active shopper would have been
    heard of: after its own wait, or the one for mere silence at its stage where that is shorter (a voucher may wait for
    a day, and no deployment a day may keep it from ever being looked at).
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
