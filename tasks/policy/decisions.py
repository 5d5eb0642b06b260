"""What the contact policy can decide about one outreach."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Nothing speaks against it, but the person is one of those to compare with."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """Not now."""

    delay_ms: int
    why: str
    until: str = field(default="", compare=False)
    """When it may go on, by the person's own clock, for people: `Monday 07:00`; empty when that is of no use."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """This person is not to be contacted for this abandonment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """There is nothing to win back any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """It is too late."""

    reason: str


Decision = Send | HoldOut | Postpone | Suppress | Cancel | Expire
