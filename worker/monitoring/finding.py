"""A finding of `winback status` and `doctor`, and its format for spans, times and sizes. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Mark = Literal["ok", "note", "warn", "fail"]
MARKS: tuple[Mark, ...] = ("fail", "warn", "note", "ok")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    name: str
    mark: Mark
    text: str
    hint: str = ""


def span(ms: int) -> str:
    """Format a time span for a quick reading: `4 s`, `12 min`, `5 h`, `3 d`."""
    seconds = ms // 1000
    for unit, size, least in (("d", 86_400, 172_800), ("h", 3_600, 7_200), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock_time(ms: int) -> str:
    """Format a moment (Unix ms) as a time of day."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M} UTC"


def megabytes(size: int) -> str:
    """Format a number of bytes in MB (of 1,048,576, as in `maxmemory`)."""
    return f"{size / 2**20:,.0f} MB"
