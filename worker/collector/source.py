"""The seam between the collector and the formats of shops: one function for each source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from detectors.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class Context:
    """Facts about a request that are neither in its headers nor in its body."""

    received: datetime
    """By the state server's clock, with a time zone."""
    is_public: bool = True
    """Whether its key is public, so that its events are claims."""
    shop: str = ""
    """The shop that the path names."""
    route: str = ""
    """The rest of the path."""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request becomes."""

    events: Sequence[JsonObject]
    """In Winback's own format: docs/reference/events.md."""
    ignored: Sequence[str] = ()
    """The reasons why parts of the request became no events; without personal data."""
    problem: str = ""
    """Why the request can't be read at all; empty if it can."""


Read = Callable[[Mapping[str, str], bytes, Context], Reading]
"""Reads headers (by names in small letters) and the body. Never raises."""
