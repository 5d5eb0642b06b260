"""Exit: the shopper closed the page. With `detection.exit` off, an exit counts as ordinary silence."""

from datetime import timedelta

from detectors.flow import Platform, Stage
from detectors.kind import Kind, idle_wait
from detectors.settings import DetectionSettings


def _wait(settings: DetectionSettings, stage: Stage, platform: Platform) -> timedelta:
    # Shoppers often leave for a bank's page or app to pay, so a closed page at payment isn't an exit.
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
