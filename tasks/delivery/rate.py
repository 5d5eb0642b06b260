"""Rates in settings: `10/s`, `600/m`, `500/h`, or `off`. Pure."""

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"s": 1, "m": 60, "h": 3600}
_WRITTEN = re.compile(r"([0-9]{1,9})\s*/\s*([smh])")
_MICROS = 1_000_000
FASTEST = 10_000
"""Requests per second."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of requests per second, minute or hour."""

    number: int
    unit: str

    @property
    def interval_us(self) -> int:
        """Time between two requests in whole microseconds, rounded up so that the rate is never exceeded."""
        return -(-_UNITS[self.unit] * _MICROS // self.number)

    @property
    def burst(self) -> int:
        """How many requests can follow at once after a pause: those of one second, and at least one."""
        return max(1, math.ceil(self.number / _UNITS[self.unit]))

    def __str__(self) -> str:
        return f"{self.number}/{self.unit}"


def parse_rate(value: object) -> Rate | None:
    """Return a rate, or None for `off`.

    Raises:
        ValueError: It has another form, is zero, or is above 10,000 per second. The message completes "<the value>
            ...".
    """
    if value is None or isinstance(value, Rate):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if text == "off":
        return None
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError("is not a rate: write a whole number and its unit, like 10/s, 600/m or 500/h; or off")
    rate = Rate(int(written[1]), written[2])
    if not 0 < rate.number <= FASTEST * _UNITS[rate.unit]:
        raise ValueError(f"must be above zero and at most {FASTEST}/s; or off")
    return rate


def _write(rate: Rate | None) -> str:
    return "off" if rate is None else str(rate)


OptionalRate = Annotated[Rate | None, BeforeValidator(parse_rate), PlainSerializer(_write, when_used="json")]
"""A rate, or None, which is read from and written as `off`."""
