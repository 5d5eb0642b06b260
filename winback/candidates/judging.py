"""What candidates' settings would have done with each silence: the real rules, without a clock and without Redis."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from detectors.flow import PLATFORMS, STAGES
from detectors.lanes import milliseconds
from detectors.registry import KINDS
from detectors.settings import DetectionSettings
from state.people import ContactRecord
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.settings import ContactSettings
from winback.candidates.prepared import Shoppers
from winback.candidates.ruling import Clocks, Policy, Ruling
from winback.candidates.silences import Known, Silence

Outcome = Literal["contact", "suppressed", "cancelled", "expired", "open"]
_MOST_POSTPONEMENTS = 1000
_STEP = 10_000


class Verdict(NamedTuple):
    """What a candidate did with a silence."""

    place: int
    """The silence's place in the list."""
    flagged_ms: int
    """When the threshold had passed (Unix ms)."""
    decided_ms: int
    """When it was decided; for a contact, when it was made."""
    outcome: Outcome
    """`open`: the recording ended before the decision."""
    reason: str = ""
    is_closed: bool = False
    """Whether contacts were closed when the threshold had passed: at night, on a holiday, or by law."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings to try."""

    name: str
    detection: DetectionSettings
    contact: ContactSettings
    lease_ms: int

    def without_consent(self) -> "Candidate":
        """Return the same without the rule that consent must be given."""
        rules = (*self.contact.disabled_rules, "consent_missing")
        return replace(self, contact=self.contact.model_copy(update={"disabled_rules": rules}))

    def waits(self) -> list[list[int]]:
        """Return the thresholds in ms, by kind and by rank."""
        places = [(stage, platform) for stage in STAGES for platform in PLATFORMS]
        return [[milliseconds(kind.wait(self.detection, *place)) for place in places] for kind in KINDS]


@dataclass(slots=True)
class _Judge:
    """A candidate, with the contacts that it has made so far."""

    candidate: Candidate
    waits: list[list[int]]
    policy: int
    """The same number for candidates whose decisions differ only by time and by their contacts."""
    of_session: dict[str, int] = field(default_factory=dict)
    of_person: dict[str, tuple[ContactRecord, ...]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


class _Case(NamedTuple):
    """One silence that has outlasted a threshold, and a candidate's contacts before it."""

    silence: Silence
    ruling: Ruling
    number: int
    contacts: tuple[ContactRecord, ...]
    flagged_ms: int


def judge(
    silences: Iterable[Silence],
    candidates: Sequence[Candidate],
    shoppers: Shoppers,
    last_ms: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[list[Verdict]]:
    """Return each candidate's verdicts on the silences that outlast its thresholds.

    Args:
        silences: In the order of their beginnings. Those of one person don't overlap.
        candidates: The settings.
        shoppers: Prepares what is known of sessions.
        last_ms: The end of the recording (Unix ms).
        progress: Called with the number of silences judged so far.
    """
    judges, policies = _judges(candidates)
    for place, silence in enumerate(silences):
        if not place % _STEP:
            progress(place)
        until_ms = silence.end_ms or last_ms
        rank, kind, begin_ms, known = silence.rank, silence.kind, silence.begin_ms, silence.known
        made: dict[tuple[object, ...], Verdict] = {}
        rulings: dict[int, Ruling] = {}
        for one in judges:
            flagged_ms = begin_ms + one.waits[kind][rank]
            if flagged_ms >= until_ms:
                continue
            number, contacts = one.of_session.get(known.session, 0), one.of_person.get(known.person, ())
            same = (one.policy, flagged_ms, number, contacts)
            verdict = made.get(same)
            if verdict is None:
                if one.policy not in rulings:
                    rulings[one.policy] = Ruling(policies[one.policy], silence, shoppers.of(known))
                case = _Case(silence, rulings[one.policy], number, contacts, flagged_ms)
                verdict = made[same] = _judged(place, case, one.candidate, last_ms)
            one.verdicts.append(verdict)
            if verdict.outcome == "contact" or verdict.reason == "holdout":
                _record(one, known, verdict)
    return [one.verdicts for one in judges]


def _judges(candidates: Sequence[Candidate]) -> tuple[list[_Judge], list[Policy]]:
    """Return the judges of candidates, and their policies."""
    keys: list[object] = []
    policies: list[Policy] = []
    clocks: Clocks = {}
    found = []
    for candidate in candidates:
        # Thresholds are in the time, so that only these settings change a decision.
        detection = candidate.detection
        key = (candidate.contact, detection.max_abandonment_age, detection.declined is None)
        if key not in keys:
            keys.append(key)
            max_age_ms = milliseconds(detection.max_abandonment_age)
            policies.append(
                Policy(candidate.contact, max_age_ms=max_age_ms, lease_ms=candidate.lease_ms, clocks=clocks)
            )
        found.append(_Judge(candidate, candidate.waits(), keys.index(key)))
    return found, policies


def _record(one: _Judge, known: Known, verdict: Verdict) -> None:
    one.of_session[known.session] = one.of_session.get(known.session, 0) + 1
    if known.person:
        record = ContactRecord(f"{verdict.place}", verdict.decided_ms)
        one.of_person[known.person] = (*one.of_person.get(known.person, ()), record)


def _judged(place: int, case: _Case, candidate: Candidate, last_ms: int) -> Verdict:
    """Follow postponements to the decision."""
    silence, ruling, number, contacts, flagged_ms = case
    is_closed = ruling.is_closed(flagged_ms)
    if suppressed := KINDS[silence.kind].suppress_reason(candidate.detection):
        return Verdict(place, flagged_ms, flagged_ms, "suppressed", suppressed, is_closed)
    now_ms = flagged_ms
    for _ in range(_MOST_POSTPONEMENTS):
        decision = ruling.at(now_ms, flagged_ms, number, contacts)
        if not isinstance(decision, Postpone):
            return Verdict(place, flagged_ms, now_ms, *_outcome(decision), is_closed)
        now_ms += max(1, decision.delay_ms)
        if silence.end_ms and silence.end_ms < now_ms:
            has_paid = silence.order_ms == silence.end_ms
            reason = "paid" if has_paid else "came_back"
            return Verdict(place, flagged_ms, silence.end_ms, "cancelled", reason, is_closed)
        if not silence.end_ms and now_ms > last_ms:
            break
    return Verdict(place, flagged_ms, now_ms, "open", "", is_closed)


def _outcome(decision: Decision) -> tuple[Outcome, str]:
    match decision:
        case Send():
            return "contact", ""
        case HoldOut():
            return "suppressed", "holdout"
        case Suppress(reason):
            return "suppressed", reason
        case Cancel(reason):
            return "cancelled", reason
        case Expire(reason):
            return "expired", reason
        case _:
            return "open", ""
