"""What candidates' settings would have done with each silence: the real rules, without a clock and without Redis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from detectors.flow import PLATFORMS, STAGES
from detectors.lanes import milliseconds
from detectors.registry import KINDS
from detectors.sequence import occurred_ms
from detectors.settings import DetectionSettings
from state.people import ContactRecord, PersonFacts
from state.session_record import Session
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.rules import decide
from tasks.policy.settings import ContactSettings
from tasks.policy.situation import Situation
from winback.candidates.prepared import STAND_IN, Prepared, Shoppers, session_of
from winback.candidates.silences import Known, Silence

Outcome = Literal["contact", "suppressed", "cancelled", "expired", "open"]
_MOST_POSTPONEMENTS = 1000


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
    ready: Prepared
    session: Session
    contacts: tuple[ContactRecord, ...]
    flagged_ms: int


def judge(
    silences: Iterable[Silence], candidates: Sequence[Candidate], shoppers: Shoppers, last_ms: int
) -> list[list[Verdict]]:
    """Return each candidate's verdicts on the silences that outlast its thresholds.

    Args:
        silences: In the order of their beginnings. Those of one person don't overlap.
        candidates: The settings.
        shoppers: Prepares what is known of sessions.
        last_ms: The end of the recording (Unix ms).
    """
    judges = _judges(candidates)
    for place, silence in enumerate(silences):
        until_ms = silence.end_ms or last_ms
        made: dict[tuple[object, ...], Verdict] = {}
        for one in judges:
            flagged_ms = silence.begin_ms + one.waits[silence.kind][silence.rank]
            if flagged_ms >= until_ms:
                continue
            known = silence.known
            number, contacts = one.of_session.get(known.session, 0), one.of_person.get(known.person, ())
            same = (one.policy, flagged_ms, number, contacts)
            verdict = made.get(same)
            if verdict is None:
                ready = shoppers.of(known)
                session = session_of(known, number) if number else ready.session
                case = _Case(silence, ready, session, contacts, flagged_ms)
                verdict = made[same] = _judged(place, case, one.candidate, last_ms)
            one.verdicts.append(verdict)
            if verdict.outcome == "contact" or verdict.reason == "holdout":
                _record(one, known, verdict)
    return [one.verdicts for one in judges]


def _judges(candidates: Sequence[Candidate]) -> list[_Judge]:
    policies: list[object] = []
    found = []
    for candidate in candidates:
        # Thresholds are in the time, so that only these settings change a decision.
        detection = candidate.detection
        policy = (candidate.contact, detection.max_abandonment_age, detection.declined is None)
        if policy not in policies:
            policies.append(policy)
        found.append(_Judge(candidate, candidate.waits(), policies.index(policy)))
    return found


def _record(one: _Judge, known: Known, verdict: Verdict) -> None:
    one.of_session[known.session] = one.of_session.get(known.session, 0) + 1
    if known.person:
        record = ContactRecord(f"{verdict.place}", verdict.decided_ms)
        one.of_person[known.person] = (*one.of_person.get(known.person, ()), record)


def _judged(place: int, case: _Case, candidate: Candidate, last_ms: int) -> Verdict:
    """Follow postponements to the decision."""
    silence, now_ms = case.silence, case.flagged_ms
    if suppressed := KINDS[silence.kind].suppress_reason(candidate.detection):
        return Verdict(place, now_ms, now_ms, "suppressed", suppressed)
    for _ in range(_MOST_POSTPONEMENTS):
        decision = decide(_situation(case, now_ms, candidate), candidate.contact)
        if not isinstance(decision, Postpone):
            return _verdict(place, case.flagged_ms, now_ms, decision)
        now_ms += max(1, decision.delay_ms)
        if silence.end_ms and silence.end_ms < now_ms:
            has_paid = silence.order_ms == silence.end_ms
            reason = "paid" if has_paid else "came_back"
            return Verdict(place, case.flagged_ms, silence.end_ms, "cancelled", reason)
        if not silence.end_ms and now_ms > last_ms:
            break
    return Verdict(place, case.flagged_ms, now_ms, "open")


def _situation(case: _Case, now_ms: int, candidate: Candidate) -> Situation:
    silence, ready = case.silence, case.ready
    about = silence.about
    has_bought = bool(about.bought_ms) and now_ms - about.bought_ms < milliseconds(candidate.contact.purchase_cooldown)
    return Situation(
        now_ms=now_ms,
        outreach=STAND_IN,
        stage=STAGES[silence.rank // len(PLATFORMS)],
        kind=KINDS[silence.kind].name,
        claimed_at_ms=case.flagged_ms,
        last_ms=silence.last_ms,
        expires_at_ms=case.flagged_ms + milliseconds(candidate.detection.max_abandonment_age),
        session=case.session,
        purchased_at_ms=occurred_ms(case.session.purchase),
        person_id=ready.person_id,
        phone=ready.phone,
        country=ready.country,
        person=PersonFacts(
            bought=has_bought,
            opted_out=0 < silence.optout_ms <= now_ms,
            answers=about.answers,
            contacts=case.contacts,
            paying_until_ms=about.paying_until_ms,
        ),
        elsewhere_ms=0,
        reachable=ready.reachable,
        lease_ms=candidate.lease_ms,
        identities=ready.identities,
        blocked=ready.blocked,
    )


def _verdict(place: int, flagged_ms: int, now_ms: int, decision: Decision) -> Verdict:
    match decision:
        case Send():
            return Verdict(place, flagged_ms, now_ms, "contact")
        case HoldOut():
            return Verdict(place, flagged_ms, now_ms, "suppressed", "holdout")
        case Suppress(reason):
            return Verdict(place, flagged_ms, now_ms, "suppressed", reason)
        case Cancel(reason):
            return Verdict(place, flagged_ms, now_ms, "cancelled", reason)
        case Expire(reason):
            return Verdict(place, flagged_ms, now_ms, "expired", reason)
        case _:
            return Verdict(place, flagged_ms, now_ms, "open")
