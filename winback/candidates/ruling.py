"""The contact policy's decisions about a silence at any moment. What doesn't depend on time is decided once.

A test compares them with those of `tasks.policy.rules.decide`.
"""

from dataclasses import replace
from math import inf

from detectors.flow import PLATFORMS, STAGES, Stage
from detectors.lanes import milliseconds
from detectors.registry import KINDS
from detectors.sequence import occurred_ms
from state.people import ContactRecord, PersonFacts
from tasks.policy.decisions import Decision, Expire, Postpone, Send, Suppress
from tasks.policy.law.closings import every, zones_of
from tasks.policy.law.places import Place
from tasks.policy.openings import Closing
from tasks.policy.rule_table import RULES
from tasks.policy.rules import CHECKS, DELAY, Check, decide
from tasks.policy.settings import ContactSettings
from tasks.policy.situation import Situation
from winback.candidates.closed_times import NEVER, OPEN, ClosedTimes
from winback.candidates.prepared import STAND_IN, Prepared, session_of
from winback.candidates.silences import Silence

CLOSING = ("law", "holiday", "quiet_hours")
"""The rules of closed times. They are adjacent, and each postpones to the next moment at which everything is open."""
TIMED = frozenset(
    {"too_old", "opted_out", "bought_recently", "payment_in_progress", "contacted_recently", DELAY, *CLOSING}
)
"""The rules that depend on time."""
OF_CONTACTS = "session_limit"
"""The rule that depends on the contacts of the session."""
TIMELESS = frozenset(
    {
        "session_gone",
        "came_back",
        "paid",
        "cart_emptied",
        "active_elsewhere",
        "invalid_contact",
        "no_consent",
        "consent_missing",
        "bot",
        "internal",
        "not_on_list",
        "ramp",
        "stage_off",
        "country_off",
        "no_cart",
        "below_minimum",
        "holdout",
    }
)
"""The rules that give the same decision about a silence at any moment.

With a rule that isn't named here or above, every decision is left to `decide`, which takes several times as long.
"""
_AT = {rule.name: place for place, rule in enumerate(RULES)}
_CLOSING_AT, _TOO_OLD_AT = _AT[CLOSING[0]], _AT["too_old"]
_LAST = len(RULES)
_CLOSED_TIMES = "closed_times"
_SEND = Send()
Clocks = dict[tuple[tuple[Closing, ...], tuple[str, ...]], ClosedTimes]
Objection = tuple[int, Decision]
"""The place of a rule in the table, and its decision."""


class Policy:
    """The settings of candidates whose decisions differ only by their thresholds and contacts."""

    def __init__(self, contact: ContactSettings, *, max_age_ms: int, lease_ms: int, clocks: Clocks) -> None:
        """Prepare. `clocks`: shared by all policies of a run."""
        self.contact, self.max_age_ms, self.lease_ms = contact, max_age_ms, lease_ms
        self.cooldown_ms = milliseconds(contact.purchase_cooldown)
        enabled = [rule.name for rule in RULES if rule.always or rule.name not in contact.disabled_rules]
        self.enabled = frozenset(enabled)
        self.timeless: list[tuple[int, Check]] = [(_AT[name], CHECKS[name]) for name in enabled if name in TIMELESS]
        self.is_known = self.enabled <= TIMELESS | TIMED | {OF_CONTACTS}
        self._clocks = clocks
        self._there: dict[tuple[Stage, Place], tuple[ClosedTimes, int]] = {}

    def there(self, stage: Stage, place: Place) -> tuple[ClosedTimes, int]:
        """Return the closed times of a stage and place, and the delay in ms."""
        found = self._there.get((stage, place))
        if found is None:
            closings = every(stage, place, self.contact)
            key = (closings, place.zones)
            times = self._clocks.get(key)
            if times is None:
                times = self._clocks[key] = ClosedTimes(closings, zones_of(place.zones))
            at = self.contact.at(stage, place.jurisdictions if self.contact.by_country else ())
            found = self._there[stage, place] = (times, milliseconds(at.delay))
        return found


class Ruling:
    """The decisions of a policy about one silence."""

    __slots__ = ("_checks", "_closed", "_delay_ms", "_expires_ms", "_first", "_policy", "_silence", "situation")

    def __init__(self, policy: Policy, silence: Silence, ready: Prepared) -> None:
        self._policy, self._silence = policy, silence
        self.situation = _situation(policy, silence, ready)
        self._closed, delay_ms = policy.there(self.situation.stage, self.situation.location(policy.contact))
        self._delay_ms = delay_ms if DELAY in policy.enabled else 0
        self._expires_ms = policy.max_age_ms + delay_ms if "too_old" in policy.enabled else inf
        self._first: Objection = (_LAST, _SEND)
        for place, check in policy.timeless:
            decision = check(self.situation, policy.contact)
            if decision is not None:
                self._first = (place, decision)
                break
        self._checks = self._timed()

    def is_closed(self, now_ms: int) -> bool:
        """Return whether a contact would be postponed at a moment, because it is night or a holiday."""
        return self._closed.opening(now_ms) != OPEN

    def at(self, now_ms: int, flagged_ms: int, number: int, contacts: tuple[ContactRecord, ...]) -> Decision:
        """Return the decision at a moment.

        Args:
            now_ms: The moment (Unix ms).
            flagged_ms: When the threshold had passed (Unix ms).
            number: Contacts of the session.
            contacts: Contacts of the person.
        """
        if not self._policy.is_known:
            return decide(self._now(now_ms, flagged_ms, number, contacts), self._policy.contact)
        place, first = self._first
        if now_ms - flagged_ms > self._expires_ms and place > _TOO_OLD_AT:
            return Expire("too_old")
        if self._checks or number or contacts:
            decision = self._checked(now_ms, flagged_ms, number, contacts)
            if decision is not None:
                return decision
        return first if place < _CLOSING_AT else self._waiting(now_ms, now_ms - flagged_ms) or first

    def _waiting(self, now_ms: int, waited_ms: int) -> Decision | None:
        """Return the objection of closed times or the delay."""
        opens_ms = self._closed.opening(now_ms)
        if opens_ms == NEVER:
            return Suppress("never_open")
        if opens_ms != OPEN:
            return Postpone(opens_ms - now_ms, _CLOSED_TIMES)
        # Only the holdout comes later.
        return Postpone(self._delay_ms - waited_ms, DELAY) if waited_ms < self._delay_ms else None

    def _timed(self) -> list[str]:
        """Return the rules that what is known can make object at some moments."""
        about = self._silence.about
        found = []
        if self._silence.optout_ms:
            found.append("opted_out")
        if about.bought_ms or self.situation.purchased_at_ms:
            found.append("bought_recently")
        if about.paying_until_ms:
            found.append("payment_in_progress")
        return found

    def _checked(
        self, now_ms: int, flagged_ms: int, number: int, contacts: tuple[ContactRecord, ...]
    ) -> Decision | None:
        """Return the objection of a rule before the first that doesn't depend on time."""
        names = [*self._checks]
        if number and OF_CONTACTS in self._policy.enabled:
            names.append(OF_CONTACTS)
        if contacts and "contacted_recently" in self._policy.enabled:
            names.append("contacted_recently")
        place = self._first[0]
        names = [name for name in names if _AT[name] < place]
        if not names:
            return None
        now = self._now(now_ms, flagged_ms, number, contacts)
        decisions = (CHECKS[name](now, self._policy.contact) for name in names)
        return next((decision for decision in decisions if decision is not None), None)

    def _now(self, now_ms: int, flagged_ms: int, number: int, contacts: tuple[ContactRecord, ...]) -> Situation:
        silence, base, policy = self._silence, self.situation, self._policy
        about = silence.about
        return replace(
            base,
            now_ms=now_ms,
            claimed_at_ms=flagged_ms,
            expires_at_ms=flagged_ms + policy.max_age_ms,
            session=session_of(silence.known, number) if number else base.session,
            person=PersonFacts(
                bought=bool(about.bought_ms) and now_ms - about.bought_ms < policy.cooldown_ms,
                opted_out=0 < silence.optout_ms <= now_ms,
                answers=about.answers,
                contacts=contacts,
                paying_until_ms=about.paying_until_ms,
            ),
        )


def _situation(policy: Policy, silence: Silence, ready: Prepared) -> Situation:
    """Return the situation apart from the time and from contacts."""
    return Situation(
        now_ms=silence.begin_ms,
        outreach=STAND_IN,
        stage=STAGES[silence.rank // len(PLATFORMS)],
        kind=KINDS[silence.kind].name,
        claimed_at_ms=silence.begin_ms,
        last_ms=silence.last_ms,
        expires_at_ms=silence.begin_ms + policy.max_age_ms,
        session=ready.session,
        purchased_at_ms=occurred_ms(ready.session.purchase),
        person_id=ready.person_id,
        phone=ready.phone,
        country=ready.country,
        person=PersonFacts(
            bought=False,
            opted_out=False,
            answers=silence.about.answers,
            contacts=(),
            paying_until_ms=0,
        ),
        elsewhere_ms=0,
        reachable=ready.reachable,
        lease_ms=policy.lease_ms,
        identities=ready.identities,
        blocked=ready.blocked,
    )
