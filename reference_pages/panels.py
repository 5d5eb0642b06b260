"""The parts of a Grafana dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Color = Literal["green", "orange", "red"]


class Query(NamedTuple):
    """What a panel asks Prometheus."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel, and what its reader has to know."""

    title: str
    shows: str
    healthy: str
    otherwise: str
    """What to do if it isn't healthy."""
    queries: Sequence[Query]
    kind: Literal["stat", "timeseries", "bargauge"] = "timeseries"
    unit: str = "short"
    """By Grafana's names."""
    width: int = 8
    """Of 24 columns."""
    limit: float | None = None
    """Where the color changes."""
    below: Color = "green"
    above: Color = "red"
    names: bool = False
    """Show the names of the series instead of their values."""
    none: str = ""
    """The text if there is no series."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one title."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard."""

    uid: str
    title: str
    about: str
    since: str
    """Where its time begins, such as `now-24h`."""
    rows: Sequence[Row]
