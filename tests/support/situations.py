"""Situations for the policy."""

from dataclasses import dataclass, field, replace
from typing import Any

from state.people import PersonFacts
from state.session_record import Session
from tasks.policy.decisions import Decision
from tasks.policy.settings import ContactSettings
from tasks.policy.shares import share_of
from tasks.policy.situation import Situation

NOW_MS = 1_747_176_000_000
HOUR_MS = 3_600_000
LEASE_MS = 70_000
ME, OTHER = "07-00000000000000aa", "11-00000000000000bb"
SHARES = {who: (share_of(who, "ramp"), share_of(who, "holdout ")) for who in map(str, range(1000))}
SOMEBODY = next(who for who, (ramp, holdout) in SHARES.items() if ramp < 90 and holdout >= 10)
PHONE, IN_TOKYO, NOT_LISTED = "+573001234567", "+81312345678", "+573001234568"
IN_PARAGUAY, IN_ARGENTINA = "+595981234567", "+5491123456789"
SETTINGS = ContactSettings.model_validate(
    {
        "test_list": [PHONE, IN_TOKYO, IN_PARAGUAY, IN_ARGENTINA],
        "ramp": 90,
        "holdout": 10,
        "delay": "10m",
        "min_value": {"COP": 1},
        "by_stage": {"payment": {"enabled": False}},
        "by_country": {"UY": {"enabled": False}},
        "holidays": ["AR:2025-05-13"],
    }
)
CART_MS = NOW_MS - 2 * HOUR_MS
SESSION = Session(
    session_id="s",
    activity=NOW_MS * 100,
    signal=0,
    purchase=0,
    silent_since_ms=NOW_MS - HOUR_MS,
    state="abandoned",
    outreach=ME,
    contacts=0,
    fields={"phone": "+573001234567", "name": "Jane", "country": "CO", "cart": '[1,"COP",[["A","1",1,1]]]'},
    stamp_of_cart=CART_MS * 100,
)
FINE = Situation(
    now_ms=NOW_MS,
    outreach=ME,
    stage="product_selection",
    kind="idle",
    claimed_at_ms=NOW_MS - HOUR_MS,
    last_ms=NOW_MS - HOUR_MS,
    expires_at_ms=NOW_MS,
    session=SESSION,
    purchased_at_ms=0,
    person_id=SOMEBODY,
    phone=PHONE,
    country="CO",
    person=PersonFacts(),
    elsewhere_ms=0,
    reachable=True,
    lease_ms=LEASE_MS,
    identities=(PHONE, "jane@example.com"),
)


@dataclass(frozen=True)
class Case:
    """What makes one rule apply, and the rule's decision."""

    decision: Decision
    situation: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str | None] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)


def situation(*cases: Case) -> Situation:
    """Return a situation in which all given cases hold; if two disagree, the first one wins."""
    top: dict[str, Any] = {}
    session: dict[str, Any] = {}
    fields: dict[str, str | None] = dict(SESSION.fields)
    person: dict[str, Any] = {}
    for case in reversed(cases):
        top |= case.situation
        session |= case.session
        fields |= case.fields
        person |= case.person
    kept = {name: value for name, value in fields.items() if value is not None}
    return replace(
        FINE, session=replace(SESSION, **session, fields=kept), person=replace(PersonFacts(), **person), **top
    )
