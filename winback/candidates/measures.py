"""The numbers of one candidate: contacts, returns, abandonments reached, and the difference to those in force."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median, quantiles
from typing import NamedTuple
from zlib import crc32

from thresholds.grid import DAY_MS
from thresholds.intervals import Interval, Part, Z, effective, standard_error
from thresholds.silences import GROUPS
from winback.candidates.judging import Verdict
from winback.candidates.silences import Silence

_TENTHS = 10


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


class Share(NamedTuple):
    """A share of contacts that were followed to the end; None: there are none."""

    followed: int
    n: int
    share: float | None
    low: float | None
    high: float | None


class Spread(NamedTuple):
    """A median, a 90 % quantile and the most; None: there are no cases."""

    median: float | None
    p90: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Gone:
    """True abandonments."""

    n: int
    flagged: int
    contacted: int
    missed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measures:
    """The numbers of a candidate, for all silences or a part of them."""

    sessions: int
    silences: int
    flagged: int
    flagged_sessions: int
    contacts: int
    contacts_of_days: Sequence[int]
    suppressed: Mapping[str, int]
    cancelled: Mapping[str, int]
    expired: Mapping[str, int]
    undecided: int
    back: Share
    ordered: Share
    back_24h: Share
    ordered_24h: Share
    not_followed: int
    gone: Gone
    delay_seconds: Spread
    parts: Mapping[int, Part]
    """Contacts that were followed and returns within the horizon, by group of people."""


class Difference(NamedTuple):
    """Against the settings in force, paired by people."""

    contacts: int
    back_share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the silences: all of them, or those of a stage, a platform or a kind."""

    silences: int
    sessions: int
    gone: frozenset[int]
    """The places of true abandonments."""


def group_of(silences: Sequence[Silence], places: Sequence[int], asked: Asked) -> Group:
    """Return the group of the silences at some places."""
    gone = (
        place
        for place in places
        if (silences[place].end_ms or asked.last_ms) - silences[place].begin_ms >= asked.gone_ms
    )
    return Group(len(places), len({silences[place].known.session for place in places}), frozenset(gone))


def measure(silences: Sequence[Silence], group: Group, verdicts: Sequence[Verdict], asked: Asked) -> Measures:
    """Return the numbers from a candidate's verdicts on a group."""
    contacts = [verdict for verdict in verdicts if verdict.outcome == "contact"]
    people, back = _share(silences, contacts, asked, lambda one: one.end_ms, asked.horizon_ms)
    reasons = {
        outcome: Counter(verdict.reason for verdict in verdicts if verdict.outcome == outcome)
        for outcome in ("suppressed", "cancelled", "expired")
    }
    delays = [(verdict.decided_ms - silences[verdict.place].last_ms) / 1000 for verdict in contacts]
    return Measures(
        sessions=group.sessions,
        silences=group.silences,
        flagged=len(verdicts),
        flagged_sessions=len({silences[verdict.place].known.session for verdict in verdicts}),
        contacts=len(contacts),
        contacts_of_days=_by_day(contacts, asked),
        suppressed=reasons["suppressed"],
        cancelled=reasons["cancelled"],
        expired=reasons["expired"],
        undecided=sum(verdict.outcome == "open" for verdict in verdicts),
        back=back,
        ordered=_share(silences, contacts, asked, lambda one: one.order_ms, asked.horizon_ms)[1],
        back_24h=_share(silences, contacts, asked, lambda one: one.end_ms, DAY_MS)[1],
        ordered_24h=_share(silences, contacts, asked, lambda one: one.order_ms, DAY_MS)[1],
        not_followed=len(contacts) - back.followed,
        gone=_gone(group, verdicts),
        delay_seconds=_spread(delays),
        parts=people,
    )


def difference(one: Measures, base: Measures) -> Difference:
    """Return the difference to the settings in force. People are in both, so their influences are paired."""
    if one.back.share is None or base.back.share is None:
        return Difference(one.contacts - base.contacts, None, None, None)
    none = Part(0, 0)
    influences = []
    for group in one.parts.keys() | base.parts.keys():
        ours, theirs = one.parts.get(group, none), base.parts.get(group, none)
        own = (ours.hits - one.back.share * ours.weight) / one.back.followed
        influences.append(own - (theirs.hits - base.back.share * theirs.weight) / base.back.followed)
    number, shift = len(influences), one.back.share - base.back.share
    if number < 2:  # noqa: PLR2004 - one group has no spread
        return Difference(one.contacts - base.contacts, shift, None, None)
    error = sqrt(sum(influence**2 for influence in influences) * number / (number - 1))
    return Difference(one.contacts - base.contacts, shift, shift - Z * error, shift + Z * error)


def _share(
    silences: Sequence[Silence],
    contacts: Iterable[Verdict],
    asked: Asked,
    moment: Callable[[Silence], int],
    horizon_ms: int,
) -> tuple[dict[int, Part], Share]:
    """Return the contacts that were followed by group, and the share of those with a moment within the horizon."""
    groups: dict[int, Part] = {}
    days: dict[int, Part] = {}
    for verdict in contacts:
        until_ms = verdict.decided_ms + horizon_ms
        if until_ms > asked.last_ms:
            continue
        silence = silences[verdict.place]
        hit = 0 < moment(silence) <= until_ms
        known = silence.known
        group = crc32((known.person or known.session).encode()) % GROUPS
        for cells, key in ((groups, group), (days, verdict.decided_ms // DAY_MS)):
            weight, hits = cells.get(key, (0, 0))
            cells[key] = Part(weight + 1, hits + hit)
    followed = round(sum(part.weight for part in groups.values()))
    if not followed:
        return groups, Share(0, 0, None, None, None)
    hits = round(sum(part.hits for part in groups.values()))
    errors = [standard_error(cells.values()) for cells in (groups, days)]
    error = max((each for each in errors if each is not None), default=0.0)
    interval: Interval = effective(hits / followed, followed, error)
    return groups, Share(followed, hits, hits / followed, *interval)


def _gone(group: Group, verdicts: Iterable[Verdict]) -> Gone:
    judged = [verdict for verdict in verdicts if verdict.place in group.gone]
    contacted = sum(verdict.outcome == "contact" for verdict in judged)
    reasons = (verdict.reason or verdict.outcome for verdict in judged if verdict.outcome != "contact")
    missed = Counter("contacted_before" if reason == "session_limit" else reason for reason in reasons)
    if len(group.gone) > len(judged):
        missed["below_threshold"] = len(group.gone) - len(judged)
    return Gone(len(group.gone), len(judged), contacted, missed)


def _by_day(contacts: Iterable[Verdict], asked: Asked) -> list[int]:
    counts = Counter(verdict.decided_ms // DAY_MS for verdict in contacts)
    return [counts[day] for day in range(asked.first_ms // DAY_MS, asked.last_ms // DAY_MS + 1)]


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread(None, None, None)
    p90 = quantiles(values, n=_TENTHS, method="inclusive")[-1] if len(values) > 1 else values[0]
    return Spread(median(values), p90, max(values))
