"""The `[tuning]` section: counters of silences in Redis, from which thresholds can be tuned without a recording."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from detectors.durations import Duration, within
from tasks.policy.setting_fields import read_list

MOST_HORIZONS = 4


def _horizons(given: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if not 1 <= len(given) <= MOST_HORIZONS:
        raise ValueError(f"must be 1 to {MOST_HORIZONS} durations")
    return tuple(sorted(set(given)))


class TuningSettings(BaseModel):
    """The `[tuning]` section.

    Attributes:
        collect: Count silences in Redis, for `winback tune --from-redis`. Counters hold no ids.
        horizons: The times within which returns and orders are counted, for its `--horizon`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    collect: bool = True
    horizons: Annotated[
        tuple[Annotated[Duration, within("10m", "7d")], ...], BeforeValidator(read_list), AfterValidator(_horizons)
    ] = (timedelta(hours=1), timedelta(hours=24))
