"""The possible decisions of the contact policy about one outreach."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Send:
    """The contact is allowed."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """The contact is allowed, but the person is in the holdout."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """Not now."""

    delay_ms: int
    why: str
    until: str = field(default="", compare=False)
    """When it can continue, by the person's own clock, for display: `Monday 07:00`; empty if not useful."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """This person must not be contacted for this abandonment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nothing is left to win back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """It is too late."""

    reason: str


Decision = Send | HoldOut | Postpone | Suppress | Cancel | Expire
