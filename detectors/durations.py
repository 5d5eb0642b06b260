"""Durations in settings: `250ms`, `90s`, `15m`, `2h`, `1d`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_WRITTEN = re.compile(r"([0-9]+)(ms|[smhd])")
_ZERO = timedelta(0)


def parse_duration(value: object) -> timedelta:
    """Return a duration from a whole number and its unit (`ms`, `s`, `m`, `h` or `d`), or from a timedelta.

    Raises:
        ValueError: It has another form (such as a bare number), is zero or negative, or doesn't fit a timedelta. The
            message completes "<the value> ..." and names the fix.
    """
    if isinstance(value, timedelta):
        duration = value
    else:
        written = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
        if written is None:
            raise ValueError(_advice(value))
        try:
            duration = int(written[1]) * _UNITS[written[2]]
        except (OverflowError, ValueError):
            raise ValueError("is too long for a duration") from None
    if duration <= _ZERO:
        raise ValueError("must be longer than zero")
    return duration


def parse_optional_duration(value: object) -> timedelta | None:
    """Return a duration, or None for `off`.

    Raises:
        ValueError: As for `parse_duration`; the message also names `off`.
    """
    if value is None or (isinstance(value, str) and value.strip() == "off"):
        return None
    try:
        return parse_duration(value)
    except ValueError as problem:
        raise ValueError(f"{problem}; or off") from None


def format_duration(duration: timedelta) -> str:
    """Return a duration as `parse_duration` reads it, in the largest exact unit: `90s`, `15m`.

    One day stays `24h`; days start at `2d`. Parts below a millisecond are rounded away.
    """
    if duration < _ZERO:
        return f"-{format_duration(-duration)}"
    duration = timedelta(milliseconds=round(duration / _UNITS["ms"]))
    if duration == _ZERO:
        return "0s"
    unit = next(name for name, size in _UNITS.items() if not duration % size and (name, duration) != ("d", size))
    return f"{duration // _UNITS[unit]}{unit}"


def within(low: str, high: str) -> AfterValidator:
    """Limit a `Duration` or `OptionalDuration` to low..high, both included and written as in the settings."""
    shortest, longest = parse_duration(low), parse_duration(high)

    def check(duration: timedelta | None) -> timedelta | None:
        if duration is not None and not shortest <= duration <= longest:
            raise ValueError(f"must be between {low} and {high}")
        return duration

    return AfterValidator(check)


def below(limit: str, *, why: str) -> AfterValidator:
    """Keep a `Duration` or `OptionalDuration` under a limit; `why` completes the error: "must be below 7d, <why>"."""
    longest = parse_duration(limit)

    def check(duration: timedelta | None) -> timedelta | None:
        if duration is not None and duration >= longest:
            raise ValueError(f"must be below {limit}, {why}")
        return duration

    return AfterValidator(check)


def _advice(value: object) -> str:
    number = str(value).strip()
    if not isinstance(value, bool) and re.fullmatch(r"[0-9]{1,9}", number):
        return f"has no unit: write {number}s, {number}m or {number}h (units: ms, s, m, h, d)"
    return "is not a duration: write a whole number and its unit, like 250ms, 90s, 15m, 2h or 1d"


def _write(duration: timedelta | None) -> str:
    return "off" if duration is None else format_duration(duration)


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(_write, when_used="json")]
"""A duration above zero. In JSON it is text: `15m`."""

OptionalDuration = Annotated[
    timedelta | None, BeforeValidator(parse_optional_duration), PlainSerializer(_write, when_used="json")
]
"""A duration above zero, or None, which is read from and written as `off`."""
