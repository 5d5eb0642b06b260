"""Decisions of `winback simulate` are those of the contact policy, though parts of them are worked out once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.lanes import milliseconds
from detectors.normalize.identities import identities_of
from detectors.session_fields import BOT, CONSENT, PHONE_COUNTRY
from state.people import ContactRecord, PersonFacts
from state.person_marks import ConsentAnswer
from tasks.delivery import payload
from tasks.policy.blocklist import compiled
from tasks.policy.decisions import Decision, Postpone, Send
from tasks.policy.law.closings import every, zones_of
from tasks.policy.law.places import place_of
from tasks.policy.openings import next_opening
from tasks.policy.rule_table import RULES
from tasks.policy.rules import CHECKS, DELAY, decide
from tasks.policy.settings import ContactSettings
from tasks.policy.situation import Situation
from winback.candidates import ruling as rulings
from winback.candidates.closed_times import NEVER, OPEN, ClosedTimes
from winback.candidates.heard import person_in
from winback.candidates.prepared import Shoppers, session_of
from winback.candidates.ruling import CLOSING, OF_CONTACTS, TIMED, TIMELESS, Policy, Ruling
from winback.candidates.silences import Known, Person, Silence

HOUR_MS = 3_600_000
BEGIN_MS = 1_772_452_800_000  # 2026-03-02T12:00Z
MAX_AGE_MS, LEASE_MS = 24 * HOUR_MS, 60_000
SETTINGS = [
    ContactSettings.model_validate(one)
    for one in (
        {},
        {"quiet_hours": "off", "law": "off", "require_consent": [], "max_per_session": 2, "cap": "1h"},
        {"quiet_hours": "mon-fri 20:15-09:00; sat,sun 18:00-11:00", "delay": "2h", "holidays": ["2026-03-03"]},
        {"ramp": 40, "holdout": 40, "min_value": {"COP": 100}, "by_country": {"MX": {"enabled": False}}},
        {"disabled_rules": ["too_old", "quiet_hours", "session_limit", "contacted_recently", "delay"], "delay": "3h"},
        {"by_stage": {"payment": {"enabled": False}, "checkout": {"delay": "30m", "quiet_hours": "off"}}},
    )
]
PHONES = ["", "bad", "+573001234567", "+5215512345678", "+12125551234", "+14155550100", "3001234567"]
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["", "Jane Doe", "x"]),
        "phone": st.sampled_from(PHONES),
        "country": st.sampled_from(["", "CO", "MX", "US", "zz"]),
        PHONE_COUNTRY: st.sampled_from(["", "CO", "US"]),
        "email": st.sampled_from(["", "a@b.co", "bot@googlebot.com"]),
        "region": st.sampled_from(["", "US-FL"]),
        "cart": st.sampled_from(["", '[50,"COP",null]', "[500,null,null]"]),
        BOT: st.just("1"),
        CONSENT["call"]: st.sampled_from(["true", "false"]),
        CONSENT["whatsapp"]: st.sampled_from(["true", "false"]),
    },
)
SPANS = st.one_of(st.just(0), st.integers(-72, 72).map(lambda hours: BEGIN_MS + hours * HOUR_MS))
ANSWERS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["call", "whatsapp"]), st.booleans().map(lambda yes: ConsentAnswer(yes, BEGIN_MS)), max_size=2
)
CASES = st.fixed_dictionaries(
    {
        "fields": FIELDS,
        "rank": st.integers(0, 11),
        "bought_ms": SPANS,
        "paying_ms": SPANS,
        "optout_ms": SPANS,
        "answers": ANSWERS,
        "contacted_ms": st.lists(SPANS.filter(bool), max_size=2),
        "number": st.integers(0, 2),
        "waited": st.integers(0, 40 * 60),
        "flagged": st.integers(0, 7 * 24 * 60),
        "settings": st.sampled_from(SETTINGS),
    }
)


@given(CASES)
def test_decisions_equal_those_of_the_policy(case: dict[str, Any]) -> None:
    contact: ContactSettings = case["settings"]
    known = known_by(case["fields"])
    about = Person(case["bought_ms"], case["paying_ms"], case["answers"])
    silence = Silence(known, about, case["rank"], 0, BEGIN_MS, BEGIN_MS, optout_ms=case["optout_ms"])
    ready = Shoppers(None, compiled(contact.block)).of(known)
    flagged_ms = BEGIN_MS + case["flagged"] * 60_000
    now_ms = flagged_ms + case["waited"] * 60_000
    contacts = tuple(ContactRecord(f"{number}", at_ms) for number, at_ms in enumerate(sorted(case["contacted_ms"])))
    ruling = Ruling(Policy(contact, max_age_ms=MAX_AGE_MS, lease_ms=LEASE_MS, clocks={}), silence, ready)
    bare = ruling.situation
    situation = replace(
        bare,
        now_ms=now_ms,
        claimed_at_ms=flagged_ms,
        expires_at_ms=flagged_ms + MAX_AGE_MS,
        session=session_of(known, case["number"]),
        person=PersonFacts(
            bought=bool(about.bought_ms) and now_ms - about.bought_ms < milliseconds(contact.purchase_cooldown),
            opted_out=0 < silence.optout_ms <= now_ms,
            answers=about.answers,
            contacts=contacts,
            paying_until_ms=about.paying_until_ms,
        ),
    )
    assert plain(ruling.at(now_ms, flagged_ms, case["number"], contacts)) == plain(decide(situation, contact))


def known_by(fields: dict[str, str]) -> Known:
    person, number = person_in(fields)
    return Known("s-1", fields, person, 0, 0, number)


def plain(decision: Decision) -> object:
    """Return a decision without the reason of a postponement, which doesn't matter in a simulation."""
    return ("postponed", decision.delay_ms) if isinstance(decision, Postpone) else decision


def test_each_rule_is_known_to_depend_on_time_or_not() -> None:
    names = [rule.name for rule in RULES]
    assert set(names) == TIMELESS | TIMED | {OF_CONTACTS}
    first = names.index(CLOSING[0])
    assert tuple(names[first:]) == (*CLOSING, DELAY, "holdout")


def test_unknown_rule_leaves_decisions_to_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    def opens_later(now: Situation, _settings: ContactSettings) -> Decision | None:
        return Postpone(1, "later") if now.now_ms < BEGIN_MS + HOUR_MS else None

    monkeypatch.setitem(CHECKS, "stage_off", opens_later)
    monkeypatch.setattr(rulings, "TIMELESS", TIMELESS - {"stage_off"})
    known = known_by({"name": "Jane Doe", "phone": "+573001234567", "cart": "[50,null,null]"})
    silence = Silence(known, Person(), 1, 0, BEGIN_MS, BEGIN_MS)
    policy = Policy(SETTINGS[1], max_age_ms=MAX_AGE_MS, lease_ms=LEASE_MS, clocks={})
    ruling = Ruling(policy, silence, Shoppers(None, compiled(SETTINGS[1].block)).of(known))
    assert ruling.at(BEGIN_MS, BEGIN_MS, 0, ()) == Postpone(1, "later")
    assert ruling.at(BEGIN_MS + HOUR_MS, BEGIN_MS, 0, ()) == Send()


@given(FIELDS)
def test_prepared_shoppers_are_those_of_the_request(fields: dict[str, str]) -> None:
    ready = Shoppers(None, compiled(SETTINGS[0].block)).of(known_by(fields))
    built = payload.build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=0, reason="r")
    customer = built.request.customer if isinstance(built, payload.Built) else None
    assert ready.reachable == (customer is not None)
    assert ready.country == (customer.country_code if customer else "")
    assert customer is None or ready.phone == customer.phone_number
    assert ready.identities == identities_of(*payload.contact_of(fields))
    assert ready.phone == (payload.phone_of(fields) or "")


@pytest.mark.parametrize("phone", ["+573001234567", "+12125551234", "+5511987654321", "+61412345678", ""])
@pytest.mark.parametrize("settings", SETTINGS[:3])
def test_closed_times_end_at_the_next_opening(phone: str, settings: ContactSettings) -> None:
    place = place_of(phone, "", default_zone="Europe/Madrid")
    closings, zones = every("checkout", place, settings), zones_of(place.zones)
    times = ClosedTimes(closings, zones)
    # The clocks of New York change on 2026-03-08, those of Madrid on 2026-03-29, those of Melbourne on 2026-04-05.
    for minutes in range(0, 36 * 1440, 137):
        now_ms = BEGIN_MS + minutes * 60_000 + 123
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)
        opens = next_opening(closings, moment, zones)
        expected = NEVER if opens is None else OPEN if opens == moment else round(opens.timestamp() * 1000)
        assert times.opening(now_ms) == expected


def test_time_without_any_opening_never_opens() -> None:
    settings = ContactSettings.model_validate({"quiet_hours": "00:00-12:00", "by_stage": {}})
    place = place_of("", "", default_zone="UTC")
    closings = every("checkout", place, settings)
    closings += every("checkout", place, ContactSettings.model_validate({"quiet_hours": "12:00-24:00"}))
    assert ClosedTimes(closings, zones_of(("UTC",))).opening(BEGIN_MS) == NEVER
