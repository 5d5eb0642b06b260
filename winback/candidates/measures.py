"""The numbers of one candidate: contacts, returns, abandonments reached, and the difference to those in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median, quantiles
from typing import NamedTuple

from thresholds.grid import DAY_MS
from thresholds.intervals import Interval, Part, Z, effective, standard_error
from winback.candidates.tally import BACK, ORDERED, Asked, Columns, Followed, Tally, cells, counted

_TENTHS = 10


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


class Night(NamedTuple):
    """Silences whose threshold passed at a closed time: in quiet hours, on a holiday or by law."""

    flagged: int
    share_of_flagged: float | None
    back_before_opening: int
    contacted: int


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
    night: Night
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
    gone: int
    """True abandonments."""


def group_of(columns: Columns, places: Sequence[int]) -> Group:
    """Return the group of the silences at some places."""
    sessions, gone = columns.sessions, columns.gone
    return Group(len(places), len({sessions[place] for place in places}), sum(gone[place] for place in places))


def measure(group: Group, found: Tally, asked: Asked) -> Measures:
    """Return the numbers from a candidate's verdicts on a group."""
    contacts = found.outcomes["contact", ""]
    back = _share(found.horizon, BACK)
    return Measures(
        sessions=group.sessions,
        silences=group.silences,
        flagged=found.flagged,
        flagged_sessions=len(found.sessions),
        contacts=contacts,
        contacts_of_days=[found.days[day] for day in range(asked.first_ms // DAY_MS, asked.last_ms // DAY_MS + 1)],
        suppressed=counted(found.outcomes, "suppressed"),
        cancelled=counted(found.outcomes, "cancelled"),
        expired=counted(found.outcomes, "expired"),
        undecided=found.outcomes["open", ""],
        back=back,
        ordered=_share(found.horizon, ORDERED),
        back_24h=_share(found.day, BACK),
        ordered_24h=_share(found.day, ORDERED),
        not_followed=contacts - back.followed,
        gone=_gone(group, found),
        delay_seconds=_spread(sorted(found.delays_ms)),
        night=_night(found),
        parts=cells(found.horizon.groups, BACK),
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


def _share(found: Followed, bit: int) -> Share:
    groups, days = cells(found.groups, bit), cells(found.days, bit)
    followed = round(sum(part.weight for part in groups.values()))
    if not followed:
        return Share(0, 0, None, None, None)
    hits = round(sum(part.hits for part in groups.values()))
    errors = [standard_error(each.values()) for each in (groups, days)]
    error = max((each for each in errors if each is not None), default=0.0)
    interval: Interval = effective(hits / followed, followed, error)
    return Share(followed, hits, hits / followed, *interval)


def _gone(group: Group, found: Tally) -> Gone:
    judged, contacted = sum(found.of_gone.values()), found.of_gone["contact", ""]
    missed: dict[str, int] = {}
    for (outcome, reason), number in found.of_gone.items():
        if outcome != "contact":
            name = "contacted_before" if reason == "session_limit" else reason or outcome
            missed[name] = missed.get(name, 0) + number
    if group.gone > judged:
        missed["below_threshold"] = group.gone - judged
    return Gone(group.gone, judged, contacted, missed)


def _night(found: Tally) -> Night:
    flagged = sum(found.of_closed.values())
    back = sum(counted(found.of_closed, "cancelled").get(reason, 0) for reason in ("came_back", "paid"))
    share = flagged / found.flagged if found.flagged else None
    return Night(flagged, share, back, found.of_closed["contact", ""])


def _spread(delays_ms: Sequence[int]) -> Spread:
    if not delays_ms:
        return Spread(None, None, None)
    seconds = [delay / 1000 for delay in delays_ms]
    p90 = quantiles(seconds, n=_TENTHS, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return Spread(median(seconds), p90, seconds[-1])
