"""The declaration of a kind of abandonment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from detectors.flow import EventType, Platform, Stage
from detectors.settings import DetectionSettings

if TYPE_CHECKING:
    from detectors.activity import ActivityEvent


def idle_wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    """Return how long a session can stay silent at a stage when nothing else is known about it."""
    own = settings.idle_by_platform.get(platform)
    chosen: timedelta | None = getattr(own, stage, None)
    return chosen or getattr(settings.idle, stage)


def _never(_settings: DetectionSettings) -> str | None:
    return None


def _always(_event: ActivityEvent) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to abandon a purchase."""

    name: str
    """The last part of the lane's name. It is stored in Redis: never change it."""
    begins_with: EventType
    """The type of event that gives a session this kind of silence, if it is the session's last ..."""
    wait: Callable[[DetectionSettings, Stage, Platform], timedelta]
    """How long the session can then stay silent."""
    reason: Callable[[Stage], str]
    """`engagement.reason` of the request, unless the shop gave one."""
    only_if: Callable[[ActivityEvent], bool] = _always
    """... and if this returns true for the event."""
    suppress_reason: Callable[[DetectionSettings], str | None] = _never
    """The reason not to contact the shopper after this kind of silence, or None."""
    suppress_meanings: Mapping[str, str] = field(default_factory=dict)
    """Each reason that `suppress_reason` returns → its meaning, as half a sentence."""
    setting: str = ""
    """The key of `[detection]` that `wait` reads. While it is off, `wait` is `idle_wait`. Empty: there is none."""
    measure_from_expiry: bool = False
    """Silence is measured from the event's expires_at."""
