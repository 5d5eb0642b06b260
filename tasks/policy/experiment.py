"""The experiment: people are assigned to arms by a hash, and each arm has its own delay, channel or both. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from detectors.durations import Duration, within
from detectors.flow import Stage
from tasks.policy.setting_fields import Channel, Names, read_list
from tasks.policy.settings import ContactSettings, Percent
from tasks.policy.shares import share_of
from tasks.policy.stage_settings import Delay

HOLDOUT = "holdout"
"""The arm that isn't contacted."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MOST_ARMS = 6
_ALL_PERCENT = 100.0


def _read_arm(text: str) -> str | None:
    return text.lower() if _NAME.fullmatch(text.lower()) and text.lower() != HOLDOUT else None


class ArmSettings(BaseModel):
    """One arm. A missing delay or channel is that of `[contact]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delay: Delay | None = None
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """The arm to which a person is assigned."""

    experiment: str
    name: str
    delay: timedelta | None = None
    channel: Channel | None = None

    @property
    def is_holdout(self) -> bool:
        """Whether its people aren't contacted."""
        return self.name == HOLDOUT

    @property
    def label(self) -> str:
        """Its name in counters and histories: `<experiment>.<arm>`."""
        return f"{self.experiment}.{self.name}"


class ExperimentSettings(BaseModel):
    """The `[experiment]` section.

    Attributes:
        name: The name of the experiment, which its results keep; empty: there is none.
        start: The day (UTC) from which people are assigned.
        stages: The stages at which they are.
        holdout: The share of people who aren't contacted, in percent.
        salt: Another text assigns people otherwise.
        window: An order within this time after the assignment counts.
        difference: The smallest difference that matters, in percentage points.
        arms: The arms, which share the other people equally.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    start: date | None = None
    stages: Annotated[tuple[Stage, ...], BeforeValidator(read_list)] = get_args(Stage)
    holdout: Percent = 10.0
    salt: str = ""
    window: Annotated[Duration, within("1h", "21d")] = timedelta(hours=72)
    difference: float = Field(default=2.0, gt=0, le=50, allow_inf_nan=False)
    arms: dict[Annotated[str, Names(_read_arm)], ArmSettings] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _fits_counters(cls, name: str) -> str:
        if name and not _NAME.fullmatch(name):
            raise ValueError("must be 1 to 32 characters, each a-z, 0-9, _ or -")
        return name

    @field_validator("arms", mode="before")
    @classmethod
    def _arms_have_names(cls, arms: object) -> object:
        for name in arms if isinstance(arms, dict) else ():
            if _read_arm(str(name)) is None:
                raise ValueError(f"{name!r} can't be the name of an arm: write a-z, 0-9, _ or -, other than {HOLDOUT}")
        return {str(name).lower(): arm for name, arm in arms.items()} if isinstance(arms, dict) else arms

    @model_validator(mode="after")
    def _can_compare(self) -> Self:
        if not self.name:
            return self
        if self.start is None:
            raise ValueError(f"experiment {self.name} has no start: write start = 2026-12-01")
        slow = next((name for name, arm in self.arms.items() if arm.delay and arm.delay >= self.window), None)
        if slow is not None:
            raise ValueError(f"arm {slow} waits as long as orders count: write a longer experiment.window")
        if not 1 <= len(self.arms) <= _MOST_ARMS or len(self.arms) + bool(self.holdout) < 2:  # noqa: PLR2004 - a pair
            raise ValueError(f"experiment {self.name} needs 2 to {_MOST_ARMS} arms, or 1 and a holdout")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its arms, the holdout last."""
        return (*sorted(self.arms), *([HOLDOUT] if self.holdout else []))

    def arm_of(self, person_id: str, stage: Stage, now_ms: int) -> Arm | None:
        """Return a person's arm, which is the same at every stage; None if they aren't in the experiment."""
        if not self.name or stage not in self.stages or now_ms < self._start_ms:
            return None
        place = share_of(person_id, f"experiment {self.name} {self.salt}") - self.holdout
        if place < 0:
            return Arm(self.name, HOLDOUT)
        number = int(place / (_ALL_PERCENT - self.holdout) * len(self.arms))
        name, own = sorted(self.arms.items())[min(number, len(self.arms) - 1)]
        return Arm(self.name, name, own.delay, own.channel)

    def checked_with(self, contact: ContactSettings | None) -> Self:
        """Return these settings.

        Raises:
            ValueError: A setting of `[contact]` would spoil the comparison.
        """
        if self.name and contact and contact.holdout:
            raise ValueError("needs contact.holdout = 0: set experiment.holdout in its place")
        return self

    @property
    def _start_ms(self) -> float:
        start = self.start or date.max
        return datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp() * 1000
