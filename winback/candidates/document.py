"""The JSON document of `winback simulate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from detectors.flow import PLATFORMS, STAGES
from detectors.registry import KINDS
from detectors.sequence import ACTIVITY_RANK
from tasks.delivery.payload import timestamp
from winback.candidates.judging import Candidate, Verdict
from winback.candidates.measures import Asked, Group, Measures, difference, group_of, measure
from winback.candidates.silences import Silence

VERSION = 1
Document = dict[str, object]
Part = tuple[str | None, str | None, str | None]
"""Stage, platform and kind; None: all of them."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """The verdicts of every candidate."""

    files: list[str]
    events: int
    unreadable: int
    silences: Sequence[Silence]
    asked: Asked
    candidates: Sequence[Candidate]
    verdicts: Sequence[Sequence[Verdict]]
    is_contactable: bool = True
    """Only shoppers who can be reached count; otherwise all of them."""

    def total(self, number: int) -> Measures:
        """Return the numbers of a candidate for all silences."""
        every = group_of(self.silences, range(len(self.silences)), self.asked)
        return measure(self.silences, every, self.verdicts[number], self.asked)


def document(found: Simulated) -> Document:
    """Return the whole document. Shares are parts of one."""
    groups = {part: group_of(found.silences, places, found.asked) for part, places in _places(found.silences).items()}
    measured = [_measured(found, groups, number) for number in range(len(found.candidates))]
    return {
        "command": "simulate",
        "version": VERSION,
        "asked": {"horizon_seconds": found.asked.horizon_ms // 1000, "gone_seconds": found.asked.gone_ms // 1000},
        "data": {
            "files": found.files,
            "first": timestamp(found.asked.first_ms) if found.events else None,
            "last": timestamp(found.asked.last_ms) if found.events else None,
            "days": found.asked.days,
            "events": found.events,
            "unreadable": found.unreadable,
            "population": "contactable" if found.is_contactable else "everybody",
        },
        "candidates": [
            {
                "candidate": number,
                "settings": candidate.name,
                "rows": [_row(part, measured[number][part], measured[0][part]) for part in groups],
            }
            for number, candidate in enumerate(found.candidates)
        ],
    }


def _measured(found: Simulated, groups: Mapping[Part, Group], number: int) -> dict[Part, Measures]:
    """Return the numbers of a candidate for each group."""
    verdicts: dict[Part, list[Verdict]] = {part: [] for part in groups}
    for verdict in found.verdicts[number]:
        for part in _parts(found.silences[verdict.place]):
            verdicts[part].append(verdict)
    return {part: measure(found.silences, group, verdicts[part], found.asked) for part, group in groups.items()}


def _places(silences: Sequence[Silence]) -> dict[Part, list[int]]:
    """Return the places of all silences, and of those of each stage, platform and kind that has any."""
    found: dict[Part, list[int]] = {_ALL: []}
    for place, silence in enumerate(silences):
        for part in _parts(silence):
            found.setdefault(part, []).append(place)
    return found


def _parts(silence: Silence) -> tuple[Part, ...]:
    return _PARTS[silence.rank, silence.kind]


_ALL: Part = (None, None, None)
_PARTS: dict[tuple[int, int], tuple[Part, ...]] = {
    (ACTIVITY_RANK[stage, platform], number): (
        _ALL,
        (stage, None, None),
        (stage, platform, None),
        (None, None, kind.name),
    )
    for stage in STAGES
    for platform in PLATFORMS
    for number, kind in enumerate(KINDS)
}
"""The parts to which a silence belongs, by its rank and kind."""


def _row(part: Part, one: Measures, base: Measures) -> Document:
    stage, platform, kind = part
    days = one.contacts_of_days
    return {
        "stage": stage,
        "platform": platform,
        "kind": kind,
        "sessions": one.sessions,
        "silences": one.silences,
        "flagged": one.flagged,
        "flagged_sessions": one.flagged_sessions,
        "contacts": one.contacts,
        "contacts_per_day": {"mean": mean(days), "median": median(days), "most": max(days), "days": len(days)},
        "suppressed": dict(one.suppressed),
        "cancelled": dict(one.cancelled),
        "expired": dict(one.expired),
        "undecided": one.undecided,
        "back": one.back._asdict(),
        "ordered": one.ordered._asdict(),
        "back_24h": one.back_24h._asdict(),
        "ordered_24h": one.ordered_24h._asdict(),
        "not_followed": one.not_followed,
        "gone": {
            "n": one.gone.n,
            "flagged": one.gone.flagged,
            "contacted": one.gone.contacted,
            "missed": dict(one.gone.missed),
        },
        "delay_seconds": one.delay_seconds._asdict(),
        "difference": None if one is base else difference(one, base)._asdict(),
    }
