"""The silences of a recording in which a contact was possible, in columns: about 40 bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from thresholds.closed_hours import ALWAYS_OPEN, ClosedHours

GROUPS = 64
"""People are divided into this many groups by a hash. The groups tell how far the shares vary between people."""


class Claim(NamedTuple):
    """A contact, or a person held out, in the recording."""

    at_ms: int
    held_out: bool


@dataclass(slots=True)
class Silences:
    """Eligible silences, those of one session in order. All times are Unix ms."""

    session: array[int] = field(default_factory=lambda: array("L"))
    """The session's number from 0."""
    begin: array[int] = field(default_factory=lambda: array("q"))
    end: array[int] = field(default_factory=lambda: array("q"))
    """When the session or the person was active again; 0: not in the recording."""
    order: array[int] = field(default_factory=lambda: array("q"))
    """The first order of the session or the person after the begin; 0: none in the recording."""
    rank: array[int] = field(default_factory=lambda: array("b"))
    """Stage and platform, as `detectors.sequence.ACTIVITY_RANK` gives them."""
    group: array[int] = field(default_factory=lambda: array("b"))
    clock: array[int] = field(default_factory=lambda: array("H"))
    """The place of the person's closed hours in `closed`."""
    claims: dict[int, Claim] = field(default_factory=dict)
    """By the silence's place in the columns."""
    closed: Sequence[ClosedHours] = (ALWAYS_OPEN,)
    sessions: int = 0
    """How many session numbers there are."""

    def add(self, session: int, begin_ms: int, end_ms: int, *, rank: int, group: int, clock: int = 0) -> int:
        """Add a silence and return its place."""
        self.session.append(session)
        self.begin.append(begin_ms)
        self.end.append(end_ms)
        self.order.append(0)
        self.rank.append(rank)
        self.group.append(group)
        self.clock.append(clock)
        if session >= self.sessions:
            self.sessions = session + 1
        return len(self.begin) - 1

    def lengths(self, last_ms: int) -> array[int]:
        """Return the longest threshold (ms) with which each makes a contact; `last_ms` is the recording's end.

        If the shopper returns in closed hours, a contact that waits for the opening isn't made any more.
        """
        if all(closed is ALWAYS_OPEN for closed in self.closed):
            return array("q", [(end or last_ms) - begin for begin, end in zip(self.begin, self.end, strict=True)])
        last_open = [closed.last_open for closed in self.closed]
        columns = zip(self.begin, self.end, self.clock, strict=True)
        return array("q", [max(0, last_open[clock](end or last_ms) - begin) for begin, end, clock in columns])
