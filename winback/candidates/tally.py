"""What a candidate did, counted for the silences of one stage, platform and kind. Sums of tallies are exact."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from thresholds.grid import DAY_MS
from thresholds.intervals import Part
from thresholds.silences import GROUPS
from winback.candidates.judging import Outcome, Verdict
from winback.candidates.silences import Silence

BACK, ORDERED = 1, 2
_BITS = 2
Codes = Counter[int]
"""Contacts by what they share: a number, and in the lowest two bits whether the shopper was back, and ordered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted. Times are ms; the period is in Unix ms."""

    horizon_ms: int
    gone_ms: int
    first_ms: int
    last_ms: int

    @property
    def days(self) -> float:
        """The length of the recording in days."""
        return (self.last_ms - self.first_ms) / DAY_MS


@dataclass(frozen=True, slots=True)
class Columns:
    """What counting needs of each silence, the same for all candidates."""

    sessions: Sequence[int]
    """The number of its session."""
    groups: bytes
    """The group of its person, which is one of `GROUPS`."""
    gone: bytes
    """1 for a true abandonment."""


def columns_of(silences: Sequence[Silence], asked: Asked) -> Columns:
    """Return the columns of all silences."""
    numbers: dict[str, int] = {}
    sessions = [numbers.setdefault(silence.known.session, len(numbers)) for silence in silences]
    groups = bytes(crc32((one.known.person or one.known.session).encode()) % GROUPS for one in silences)
    gone = bytes((one.end_ms or asked.last_ms) - one.begin_ms >= asked.gone_ms for one in silences)
    return Columns(sessions, groups, gone)


@dataclass(slots=True)
class Followed:
    """Contacts that the recording follows for a horizon, by group of people and by day."""

    groups: Codes = field(default_factory=Codes)
    days: Codes = field(default_factory=Codes)


@dataclass(slots=True)
class Tally:
    """The counts of a candidate's verdicts."""

    flagged: int = 0
    sessions: set[int] = field(default_factory=set)
    outcomes: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    of_gone: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    of_closed: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    """The outcomes of those who were flagged at a closed time."""
    days: Counter[int] = field(default_factory=Counter)
    """Contacts by day."""
    horizon: Followed = field(default_factory=Followed)
    day: Followed = field(default_factory=Followed)
    """The same for 24 hours."""
    delays_ms: list[int] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add the counts of other silences."""
        self.flagged += other.flagged
        self.sessions |= other.sessions
        self.outcomes.update(other.outcomes)
        self.of_gone.update(other.of_gone)
        self.of_closed.update(other.of_closed)
        self.days.update(other.days)
        for own, others in ((self.horizon, other.horizon), (self.day, other.day)):
            own.groups.update(others.groups)
            own.days.update(others.days)
        self.delays_ms += other.delays_ms


def tally(silences: Sequence[Silence], columns: Columns, verdicts: Sequence[Verdict], asked: Asked) -> Tally:
    """Count the verdicts on some silences."""
    sessions, gone = columns.sessions, columns.gone
    contacts = [verdict for verdict in verdicts if verdict.outcome == "contact"]
    return Tally(
        flagged=len(verdicts),
        sessions={sessions[verdict.place] for verdict in verdicts},
        outcomes=Counter([(verdict.outcome, verdict.reason) for verdict in verdicts]),
        of_gone=Counter([(verdict.outcome, verdict.reason) for verdict in verdicts if gone[verdict.place]]),
        of_closed=Counter([(verdict.outcome, verdict.reason) for verdict in verdicts if verdict.is_closed]),
        days=Counter([verdict.decided_ms // DAY_MS for verdict in contacts]),
        horizon=_followed(silences, columns, contacts, asked.horizon_ms, asked.last_ms),
        day=_followed(silences, columns, contacts, DAY_MS, asked.last_ms),
        delays_ms=[verdict.decided_ms - silences[verdict.place].last_ms for verdict in contacts],
    )


def cells(codes: Mapping[int, int], bit: int) -> dict[int, Part]:
    """Return the contacts and those who were back (`BACK`) or ordered (`ORDERED`), by group or day."""
    found: dict[int, Part] = {}
    for code, number in codes.items():
        weight, hits = found.get(code >> _BITS, (0, 0))
        found[code >> _BITS] = Part(weight + number, hits + number if code & bit else hits)
    return found


def counted(outcomes: Mapping[tuple[Outcome, str], int], outcome: Outcome) -> dict[str, int]:
    """Return the reasons of an outcome."""
    return {reason: number for (one, reason), number in outcomes.items() if one == outcome}


def _followed(
    silences: Sequence[Silence], columns: Columns, contacts: Iterable[Verdict], horizon_ms: int, last_ms: int
) -> Followed:
    found = list(_codes(silences, contacts, horizon_ms, last_ms))
    groups = columns.groups
    return Followed(
        Counter([groups[place] << _BITS | hits for place, _, hits in found]),
        Counter([day << _BITS | hits for _, day, hits in found]),
    )


def _codes(
    silences: Sequence[Silence], contacts: Iterable[Verdict], horizon_ms: int, last_ms: int
) -> Iterator[tuple[int, int, int]]:
    """Yield the place, the day and the bits of contacts that are followed to the end."""
    for place, _, at_ms, *_ in contacts:
        until_ms = at_ms + horizon_ms
        if until_ms <= last_ms:
            silence = silences[place]
            is_back, has_ordered = 0 < silence.end_ms <= until_ms, 0 < silence.order_ms <= until_ms
            yield place, at_ms // DAY_MS, is_back * BACK | has_ordered * ORDERED
