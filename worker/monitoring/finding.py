"""A finding of `winback status` and `doctor`, and how it writes spans, times and sizes. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Mark = Literal["ok", "note", "warn", "fail"]
MARKS: tuple[Mark, ...] = ("fail", "warn", "note", "ok")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is."""

    name: str
    mark: Mark
    text: str
    hint: str = ""


def span(ms: int) -> str:
    """Write a time span so that it can be taken in at a glance: `4 s`, `12 min`, `5 h`, `3 d`."""
    seconds = ms // 1000
    for unit, size, least in (("d", 86_400, 172_800), ("h", 3_600, 7_200), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock_time(ms: int) -> str:
    """Write a moment (Unix ms) as a time of day."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M} UTC"


def megabytes(size: int) -> str:
    """Write a number of bytes in MB (of 1,048,576, as in `maxmemory`)."""
    return f"{size / 2**20:,.0f} MB"
