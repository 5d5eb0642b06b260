"""What a pass over a recording needs of its events, and what it finds besides the silences."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

D = TypeVar("D")
"""What the events say about a shopper."""


class Observed(NamedTuple):
    """What the pass needs of one event."""

    stamp: int
    """Its sequence number (`detectors.sequence`): events come in this order."""
    at_ms: int
    session: str
    """Empty: the event only names a person."""
    activity: int = 0
    """Sequence number if it states stage and platform, else 0."""
    is_tuned: bool = True
    """Whether a silence after it has an idle threshold."""
    is_order: bool = False
    is_optout: bool = False
    people: tuple[int, ...] = ()
    """Hashes of the people that it names; the first is the session's."""
    also: tuple[str, ...] = ()
    """Other sessions that it ends: taken over, or bought with this one."""
    said: object = None
    """What it says about the shopper; None: nothing."""


class Facts(Protocol[D]):
    """Reads what events say about shoppers."""

    def learned(self, known: D | None, said: object, stamp: int) -> D:
        """Return what is known of a shopper after an event."""

    def is_eligible(self, known: D | None, rank: int) -> bool:
        """Return whether nothing but time speaks against a contact at the rank's stage."""

    def clock(self, known: D | None, rank: int) -> int:
        """Return the place of the person's closed hours in the recording's list."""


@dataclass(slots=True)
class Totals:
    """What a recording holds."""

    events: int = 0
    sessions: int = 0
    with_person: int = 0
    bots: int = 0
    first_ms: int = 0
    last_ms: int = 0
    persons: set[int] = field(default_factory=set)
    claims: int = 0
    held_out: int = 0
