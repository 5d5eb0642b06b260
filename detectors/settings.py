"""The settings of detection: how long a silence may last before it counts as abandoned."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from detectors.durations import Duration, OptionalDuration, below, within
from detectors.flow import Platform

_FORGOTTEN = below("7d", why="when Redis forgets a silent session")
Threshold = Annotated[Duration, _FORGOTTEN]
OptionalThreshold = Annotated[OptionalDuration, _FORGOTTEN]


class StageThresholds(BaseModel):
    """How long a session may be silent at each stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_selection: Threshold = timedelta(minutes=45)
    cart_review: Threshold = timedelta(minutes=30)
    checkout: Threshold = timedelta(minutes=15)
    payment: Threshold = timedelta(minutes=10)


class PlatformThresholds(BaseModel):
    """What one platform has different from `StageThresholds`; None means: as there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_selection: Threshold | None = None
    cart_review: Threshold | None = None
    checkout: Threshold | None = None
    payment: Threshold | None = None


class DetectionSettings(BaseModel):
    """The `[detection]` section; the sweep reads it again while running, nobody else does.

    Attributes:
        idle: Silence that makes a session abandoned, by stage.
        idle_by_platform: Thresholds that differ on one platform.
        exit: How long to wait after the shopper closed the page; None: such a session waits like any other.
        declined: How long to wait after a refused payment; None: nobody is contacted after one.
        pending: How long a voucher or bank payment may be under way; None: such a session waits like any other.
        sweep_interval: How often the sweep looks; read once, by beat.
        max_silence: While the whole shop has been silent for longer, nobody is claimed; None: nobody looks.
        orders_stopped: What to do when orders stop arriving while sessions still reach the checkout: raise an `alarm`,
            also `hold` sending, or `off`.
        max_abandonment_age: How long after its threshold a session may still be contacted; then it is `expired`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle: StageThresholds = StageThresholds()
    idle_by_platform: dict[Platform, PlatformThresholds] = Field(default_factory=dict)
    exit: OptionalThreshold = None
    declined: OptionalThreshold = None
    pending: OptionalThreshold = timedelta(hours=24)
    sweep_interval: Annotated[Duration, within("100ms", "5m")] = timedelta(seconds=5)
    max_silence: Annotated[OptionalDuration, within("1s", "30d")] = None
    # A false alarm costs a look, a false hold all contacts until somebody looks: holding is for the shop to choose.
    orders_stopped: Literal["alarm", "hold", "off"] = "alarm"
    max_abandonment_age: Annotated[Duration, within("1s", "3650d")] = timedelta(days=3)
