"""The recommended thresholds of a recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectors.flow import PLATFORMS, STAGES, Stage
from detectors.kind import idle_wait
from detectors.lanes import milliseconds
from detectors.sequence import ACTIVITY_RANK
from detectors.settings import DetectionSettings
from thresholds.backtest import later_day
from thresholds.contacts import Period
from thresholds.curve import Point, Question
from thresholds.grid import DAY_MS
from thresholds.recommendation import GIVEN
from thresholds.study import Asked, Row, days_of, study
from winback.tuning.claims import Claims
from winback.tuning.recording import Recording

Knowledge = Literal["recorded", "shadow", "unknown"]
"""What is known of contacts during the recording: all of them, that there were none, or nothing."""
_LONGEST_WARM_UP_MS = DAY_MS
_WARM_UP_PART = 5
WEEK_DAYS = 7
_FEWEST_WEEKS = 2
_KNOWN_PEOPLE = 0.8
_CHANGE = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """The request of a merchant."""

    question: Question
    target: float
    cautious: bool
    stage: Stage | None = None
    """Show only this one."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """The results for a recording, with everything that the output needs."""

    wanted: Wanted
    quiet_hours: str
    recording: Recording
    contacts: int
    """Contacts in the recording; those held out don't count."""
    held_out: int
    asked: Asked
    period: Period
    rows: list[Row]
    others_ms: Mapping[Stage, int]
    warnings: list[str]
    is_live: bool = False
    """Whether the numbers are counters in Redis; then the recording is empty."""

    @property
    def has_data(self) -> bool:
        """Whether there was anything to count."""
        return bool(self.days) if self.is_live else bool(self.recording.totals.events)

    @property
    def days(self) -> float:
        """The length of the counted time."""
        return days_of(self.period)

    @property
    def given(self) -> list[Row]:
        """The rows with a recommendation."""
        return [row for row in self.rows if is_given(row)]


def is_given(row: Row) -> bool:
    """Return whether a row recommends a threshold."""
    return row.choice.point is not None and row.choice.status in GIVEN


def today(row: Row, found: Tuned) -> Point | None:
    """Return the result at the threshold in force; None if it can't be judged."""
    point = row.at(row.current_ms)
    return None if point is None or found.asked.is_past_ids(point.threshold_ms) else point


def tune(
    recording: Recording,
    wanted: Wanted,
    detection: DetectionSettings,
    *,
    max_per_session: int,
    quiet_hours: str,
    claims: Claims | None,
    knowledge: Knowledge,
) -> Tuned:
    """Return the recommendations for a recording under the settings in force.

    `max_per_session`, `quiet_hours`: the settings of `[contact]`.
    """
    totals = recording.totals
    period = counted_period(totals.first_ms, totals.last_ms)
    known = totals.sessions and totals.with_person >= _KNOWN_PEOPLE * totals.sessions
    asked = Asked(
        wanted.question,
        wanted.target,
        cautious=wanted.cautious,
        max_per_session=max_per_session,
        held_share=claims.held_share if claims else 0.0,
        ids_end_ms=None if known else recording.ids_end_ms,
    )
    found = study(recording.silences, period, asked, waits_of(detection))
    return Tuned(
        wanted=wanted,
        quiet_hours=quiet_hours,
        recording=recording,
        contacts=claims.contacted if claims else 0,
        held_out=claims.held_out if claims else 0,
        asked=asked,
        period=period,
        rows=[row for row in found.rows if wanted.stage in {None, row.stage}],
        others_ms=found.others_ms,
        warnings=_warnings(recording, period, knowledge),
    )


def waits_of(detection: DetectionSettings) -> dict[int, int]:
    """Return the idle thresholds in force, in ms by rank."""
    pairs = ((stage, platform) for stage in STAGES for platform in PLATFORMS)
    return {ACTIVITY_RANK[stage, one]: milliseconds(idle_wait(detection, stage, one)) for stage, one in pairs}


def counted_period(first_ms: int, last_ms: int) -> Period:
    """Return the part of a recording (Unix ms) in which contacts count.

    Sessions can have begun before the recording, so its first part only shows what they did before. Whole weeks count
    if there are at least two: the days of a week differ.
    """
    counted_ms = first_ms + min(_LONGEST_WARM_UP_MS, (last_ms - first_ms) // _WARM_UP_PART)
    weeks = (last_ms - counted_ms) // (WEEK_DAYS * DAY_MS)
    if weeks >= _FEWEST_WEEKS:
        counted_ms = last_ms - weeks * WEEK_DAYS * DAY_MS
    return Period(counted_ms, last_ms, later_day(counted_ms, last_ms))


def _warnings(recording: Recording, period: Period, knowledge: Knowledge) -> list[str]:
    found = []
    if knowledge == "unknown":
        found.append(
            "The recording doesn't tell whether people were contacted while it was taken. A contact changes what "
            "follows: name a file with the contacts (--contacts), or say that there were none (--shadow)."
        )
    found += recording.doubts
    if not recording.totals.events:
        found.append("The recording has no events.")
        return found
    days = days_of(period)
    if days < WEEK_DAYS:
        found.append(
            f"Less than a week counts ({days:.1f} days). Shoppers behave differently on other days of the week."
        )
    if recording.ids_end_ms is not None:
        minutes = round(recording.ids_end_ms / 60_000)
        found.append(
            f"Session ids end after about {minutes:,} minutes of silence. Later returns look like new shoppers, "
            "except those of people whose phone number is known."
        )
    found += [
        f"No event has a cart, so contact.needs_cart leaves {stage} out. "
        "Send cart with events, or take the stage out of the setting."
        for stage in recording.without_cart
    ]
    found += _identity_lost(recording)
    return found


def _identity_lost(recording: Recording) -> list[str]:
    changes = (
        ("events without a session", recording.without_session),
        ("sessions without a person", recording.without_person),
    )
    return [
        f"The share of {what} changes from {before:.0%} in the first half to {after:.0%} in the second. "
        "Returns look rarer than they are while shoppers can't be recognized."
        for what, (before, after) in changes
        if abs(after - before) > _CHANGE
    ]
