"""What a pass over a recording needs of its events, and what it finds besides the silences."""

from __future__ import annotations

from array import array
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
    """Hashes of the people that it can be about, in addition to the session's own."""
    also: tuple[str, ...] = ()
    """Other sessions that it ends: taken over, or bought with this one."""
    said: object = None
    """What it says about the shopper; None: nothing."""


class Facts(Protocol[D]):
    """Reads what events say about shoppers."""

    def learned(self, known: D | None, said: object, *, is_late: bool) -> D:
        """Return what is known of a shopper after an event; `is_late`: newer events were read before."""

    def person(self, known: D) -> int:
        """Return the hash of the person; 0: not known."""

    def is_eligible(self, known: D | None, rank: int) -> bool:
        """Return whether nothing but time speaks against a contact at the rank's stage."""

    def clock(self, known: D | None, rank: int) -> int:
        """Return the place of the person's closed hours in the recording's list."""


@dataclass(slots=True)
class Totals:
    """What a recording holds."""

    events: int = 0
    sessions: int = 0
    starts: array[int] = field(default_factory=lambda: array("q"))
    """Unix ms of the first event of each session, by its number."""
    named: bytearray = field(default_factory=bytearray)
    """1 for each session whose person is known, by its number."""
    bots: int = 0
    first_ms: int = 0
    last_ms: int = 0
    persons: set[int] = field(default_factory=set)

    @property
    def with_person(self) -> int:
        """How many sessions have a known person."""
        return sum(self.named)
