"""Settings that differ at one stage, and their combination with those of everywhere and of countries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator

from detectors.durations import format_duration, parse_optional_duration
from state.limit import Limit
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.setting_fields import Amounts, Channel, Limits, LongSpan, Quiet

T = TypeVar("T")
_LONGEST_DELAY = timedelta(days=7)


def _read_delay(value: object) -> timedelta:
    is_none = value == timedelta(0) or (isinstance(value, str) and value.strip() == "0s")
    delay = None if is_none else parse_optional_duration(value)
    if delay is not None and delay > _LONGEST_DELAY:
        raise ValueError("must be 7d at most, or off")
    return delay or timedelta(0)


Delay = Annotated[
    timedelta,
    PlainValidator(_read_delay),
    PlainSerializer(lambda delay: format_duration(delay) if delay else "off", when_used="json"),
]
"""A duration of up to seven days; zero is read from and written as `off`."""


class StageContact(BaseModel):
    """Differences at one stage; missing fields are as everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    channel: Channel | None = None
    whatsapp_below: Amounts | None = None
    delay: Delay | None = None
    min_value: Amounts | None = None
    cap: LongSpan | None = None
    limits: Limits | None = None
    quiet_hours: Quiet | None = None


@dataclass(frozen=True, slots=True)
class AtStage:
    """The settings at one stage, for a person of certain countries."""

    enabled: bool
    channel: Channel
    whatsapp_below: Mapping[str, float]
    """Carts worth less than this, by currency, get a message instead of the channel above."""
    delay: timedelta
    min_value: Mapping[str, float]
    cap: timedelta
    quiet_hours: QuietHours
    limits: tuple[Limit, ...] = ()
    country_off: bool = False
    """Whether one of the countries is switched off."""


def values_that_hold(everywhere: T, of_stage: T | None, by_country: Sequence[T | None]) -> list[T]:
    """Return every value in force: values of a stage or of all countries replace the general one."""
    found = [value for value in by_country if value is not None]
    if of_stage is not None:
        return [of_stage, *found]
    return [*found, everywhere] if len(found) < max(len(by_country), 1) else found


def highest_minimums(minimums: Iterable[Mapping[str, float]]) -> Mapping[str, float]:
    """Return the highest of several minimums, by currency."""
    found: dict[str, float] = {}
    for minimum in minimums:
        found |= {currency: max(amount, found.get(currency, 0.0)) for currency, amount in minimum.items()}
    return found


def all_windows(several: Iterable[QuietHours]) -> QuietHours:
    """Return quiet hours with the windows of all of them."""
    return QuietHours(tuple(dict.fromkeys(window for hours in several for window in hours.windows)))
