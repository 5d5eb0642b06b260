"""Exit: the shopper closed the page. While it is switched off, an exit is silence like any other."""

from datetime import timedelta

from detectors.flow import Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.settings import DetectionSettings


def _wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    # Paying often means leaving for a bank's page or app: at payment a closed page says nothing.
    if settings.exit is None or stage == "payment":
        return idle_wait(settings, stage, platform)
    return settings.exit


EXIT = Kind(
    name="exit",
    begins_with="exit",
    setting="exit",
    wait=_wait,
    reason=lambda stage: f"user_left_{stage}",
)
