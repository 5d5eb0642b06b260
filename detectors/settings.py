"""The settings of detection: how long a silence can last before a session counts as abandoned."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from detectors.durations import Duration, OptionalDuration, below, format_duration, within
from detectors.flow import Platform
from detectors.json_values import JsonObject

FREQUENT = timedelta(seconds=5)
"""A sweep interval that fits any threshold, including those of a trial."""
INTERVALS_OF_AGE = 3
"""The fewest sweeps that must run before a session is too old."""
_FORGOTTEN = below("7d", why="when Redis forgets a silent session")
Threshold = Annotated[Duration, _FORGOTTEN]
OptionalThreshold = Annotated[OptionalDuration, _FORGOTTEN]


class StageThresholds(BaseModel):
    """How long a session can be silent at each stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_selection: Threshold = timedelta(minutes=45)
    cart_review: Threshold = timedelta(minutes=30)
    checkout: Threshold = timedelta(minutes=15)
    payment: Threshold = timedelta(minutes=10)


class PlatformThresholds(BaseModel):
    """Thresholds that differ from `StageThresholds` on one platform; None: the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_selection: Threshold | None = None
    cart_review: Threshold | None = None
    checkout: Threshold | None = None
    payment: Threshold | None = None


class DetectionSettings(BaseModel):
    """The `[detection]` section. Only the sweep reads it again while running.

    Attributes:
        idle: Silence that makes a session abandoned, by stage.
        idle_by_platform: Thresholds that differ on one platform.
        exit: How long to wait after the shopper closed the page; None: such a session counts as idle.
        declined: How long to wait after a refused payment; None: shoppers aren't contacted after one.
        pending: How long a voucher or bank payment can be in progress; None: such a session counts as idle.
        sweep_interval: How often the sweep runs; beat and the sweep follow a change.
        max_silence: If the whole shop has been silent for longer, no session is claimed; None: not checked.
        orders_stopped: The reaction if orders stop arriving while sessions still reach the checkout: raise an `alarm`,
            also `hold` sending, or `off`.
        max_abandonment_age: How long after its threshold a session can still be contacted; later it is `expired`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle: StageThresholds = StageThresholds()
    idle_by_platform: dict[Platform, PlatformThresholds] = Field(default_factory=dict)
    exit: OptionalThreshold = None
    declined: OptionalThreshold = None
    pending: OptionalThreshold = timedelta(hours=24)
    sweep_interval: Annotated[Duration, within("100ms", "5m")] = FREQUENT
    max_silence: Annotated[OptionalDuration, within("1s", "30d")] = None
    # A false alarm costs a check. A false hold costs every contact until an operator notices, so the shop chooses it.
    orders_stopped: Literal["alarm", "hold", "off"] = "alarm"
    max_abandonment_age: Annotated[Duration, within("1s", "3650d")] = timedelta(days=3)

    @field_validator("sweep_interval")
    @classmethod
    def _interval_is_within_every_threshold(cls, interval: timedelta, info: ValidationInfo) -> timedelta:
        waits = dict(_waits(info.data))
        name = min(waits, key=waits.__getitem__, default="")
        if name and interval > max(waits[name], FREQUENT):
            raise ValueError(
                f"must not be longer than detection.{name} ({format_duration(waits[name])}), "
                "or a session would wait for the sweep for longer than for its threshold"
            )
        return interval

    @field_validator("max_silence")
    @classmethod
    def _silence_is_noticed_before_it_counts(cls, silence: timedelta | None, info: ValidationInfo) -> timedelta | None:
        waits = dict(_waits(info.data))
        name = max(waits, key=waits.__getitem__, default="")
        if silence is not None and name and silence > waits[name]:
            raise ValueError(
                f"must not be longer than detection.{name} ({format_duration(waits[name])}), the longest threshold: "
                "every session would be claimed before the silence of the shop is noticed"
            )
        return silence

    @field_validator("max_abandonment_age")
    @classmethod
    def _age_outlasts_sweeps(cls, age: timedelta, info: ValidationInfo) -> timedelta:
        interval: timedelta | None = info.data.get("sweep_interval")
        if interval is not None and age < INTERVALS_OF_AGE * interval:
            raise ValueError(
                f"must be at least {INTERVALS_OF_AGE} times detection.sweep_interval ({format_duration(interval)}), "
                "or sessions would expire before a sweep finds them"
            )
        return age


def _waits(values: JsonObject) -> Iterator[tuple[str, timedelta]]:
    """Yield every threshold in effect, by its name below `detection`; unreadable ones are left out."""
    by_platform: Mapping[str, PlatformThresholds] = values.get("idle_by_platform", {})
    sections = {"idle": values.get("idle")} | {f"idle_by_platform.{name}": own for name, own in by_platform.items()}
    for section, thresholds in sections.items():
        if thresholds is not None:
            yield from ((f"{section}.{stage}", wait) for stage, wait in thresholds if wait is not None)
    fields = DetectionSettings.model_fields
    own = (name for name, field in fields.items() if any(part is _FORGOTTEN for part in field.metadata))
    yield from ((name, values[name]) for name in own if values.get(name) is not None)
