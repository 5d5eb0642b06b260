"""The JSON document of `winback simulate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from detectors.flow import PLATFORMS, STAGES
from detectors.registry import KINDS
from detectors.sequence import ACTIVITY_RANK, RANK_SPAN
from tasks.delivery.payload import timestamp
from winback.candidates.judging import Candidate, Verdict
from winback.candidates.measures import Measures, difference, group_of, measure
from winback.candidates.silences import Silence
from winback.candidates.tally import Asked, Tally, columns_of, tally

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
    future: int
    doubts: Sequence[str]
    """Sentences about the parts of the files that don't count."""
    silences: Sequence[Silence]
    asked: Asked
    candidates: Sequence[Candidate]
    verdicts: Sequence[Sequence[Verdict]]
    is_contactable: bool = True
    """Only shoppers who can be reached count; otherwise all of them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of every candidate, for each part that has silences."""

    parts: Sequence[Part]
    of_candidates: Sequence[Mapping[Part, Measures]]

    @property
    def totals(self) -> list[Measures]:
        """The numbers of each candidate for all silences."""
        return [numbers[ALL] for numbers in self.of_candidates]


def measured(found: Simulated) -> Measured:
    """Return all numbers."""
    columns = columns_of(found.silences, found.asked)
    groups = {part: group_of(columns, places) for part, places in _places(found.silences).items()}
    numbers = []
    for verdicts in found.verdicts:
        cells: dict[tuple[int, int], list[Verdict]] = {}
        for verdict in verdicts:
            silence = found.silences[verdict.place]
            cells.setdefault((silence.activity % RANK_SPAN, silence.kind), []).append(verdict)
        tallies = {part: Tally() for part in groups}
        for cell, own in cells.items():
            counts = tally(found.silences, columns, own, found.asked)
            for part in _PARTS[cell]:
                tallies[part].add(counts)
        numbers.append({part: measure(group, tallies[part], found.asked) for part, group in groups.items()})
    return Measured(list(groups), numbers)


def document(found: Simulated, numbers: Measured) -> Document:
    """Return the whole document. Shares are parts of one."""
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
            "in_future": found.future,
            "population": "contactable" if found.is_contactable else "everybody",
        },
        "candidates": [
            {
                "candidate": number,
                "settings": candidate.name,
                "rows": [
                    _row(part, numbers.of_candidates[number][part], numbers.of_candidates[0][part])
                    for part in numbers.parts
                ],
            }
            for number, candidate in enumerate(found.candidates)
        ],
        "warnings": list(found.doubts),
    }


def _places(silences: Sequence[Silence]) -> dict[Part, list[int]]:
    """Return the places of all silences, and of those of each stage, platform and kind that has any."""
    found: dict[Part, list[int]] = {ALL: []}
    for place, silence in enumerate(silences):
        for part in _parts(silence):
            found.setdefault(part, []).append(place)
    return found


def _parts(silence: Silence) -> tuple[Part, ...]:
    return _PARTS[silence.rank, silence.kind]


ALL: Part = (None, None, None)
_PARTS: dict[tuple[int, int], tuple[Part, ...]] = {
    (ACTIVITY_RANK[stage, platform], number): (
        ALL,
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
        "night": {
            "flagged": one.night.flagged,
            "share_of_flagged": one.night.share_of_flagged,
            "back_before_opening": one.night.back_before_opening,
            "contacted": one.night.contacted,
        },
        "difference": None if one is base else difference(one, base)._asdict(),
    }
