from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from typing import Any, get_args

import pytest

from state.people import Facts, Held
from state.session_record import Session
from tasks.policy.blocklist import Hit
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.reasons import REASONS, is_postponement
from tasks.policy.rules import RULES, decide, share_of
from tasks.policy.settings import ContactSettings, Switch
from tasks.policy.situation import Situation

NOW_MS = 1_747_176_000_000
HOUR_MS = 3_600_000
LEASE_MS = 70_000
ME, OTHER = "07-00000000000000aa", "11-00000000000000bb"
SHARES = {who: (share_of(who, "ramp"), share_of(who, "holdout ")) for who in map(str, range(1000))}
SOMEBODY = next(who for who, (ramp, holdout) in SHARES.items() if ramp < 90 and holdout >= 10)
NOT_YET = next(who for who, (ramp, holdout) in SHARES.items() if ramp >= 90 and holdout >= 10)
HELD_OUT = next(who for who, (ramp, holdout) in SHARES.items() if ramp < 90 and holdout < 10)
PHONE, IN_TOKYO, NOT_LISTED = "+573001234567", "+81312345678", "+573001234568"
IN_PARAGUAY, IN_ARGENTINA = "+595981234567", "+5491123456789"
SETTINGS = ContactSettings.model_validate(
    {
        "test_list": [PHONE, IN_TOKYO, IN_PARAGUAY, IN_ARGENTINA],
        "ramp": 90,
        "holdout": 10,
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
    last_ms=NOW_MS - HOUR_MS,
    expires_at_ms=NOW_MS,
    session=SESSION,
    purchased_at_ms=0,
    person_id=SOMEBODY,
    phone=PHONE,
    country="CO",
    person=Facts(),
    elsewhere_ms=0,
    reachable=True,
    lease_ms=LEASE_MS,
    identities=(PHONE, "jane@example.com"),
)


@dataclass(frozen=True)
class Case:
    """What makes one rule apply, and what that rule then decides."""

    decision: Decision
    situation: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str | None] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)


def situation(*cases: Case) -> Situation:
    """A situation in which all the given cases are true at once; where two disagree, the first has its way."""
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
    return replace(FINE, session=replace(SESSION, **session, fields=kept), person=replace(Facts(), **person), **top)


# In the order in which the contact policy is documented, several ways to apply for most of them.
IN_ORDER: list[list[Case]] = [
    [Case(Expire("session_gone"), session={"activity": 0})],
    [
        Case(Cancel("came_back"), session={"state": "waiting"}),
        Case(Cancel("came_back"), session={"outreach": OTHER}),
        Case(Cancel("came_back"), session={"outreach": ""}),
        Case(Cancel("paid"), session={"state": "bought"}),
        Case(Cancel("paid"), session={"state": "bought", "outreach": ""}),
    ],
    [
        Case(Cancel("paid"), session={"purchase": CART_MS * 100}),
        Case(Cancel("paid"), session={"purchase_before": CART_MS * 100 + 99}),
    ],
    [Case(Cancel("cart_emptied"), fields={"cart": ""})],
    [Case(Cancel("active_elsewhere"), {"elsewhere_ms": NOW_MS - HOUR_MS + 1})],
    [Case(Expire("too_old"), {"expires_at_ms": NOW_MS - 1})],
    [Case(Suppress("invalid_contact"), {"reachable": False})],
    [Case(Suppress("opted_out"), person={"opted_out": True})],
    [Case(Suppress("no_consent"), fields={"consent.call": "false", "consent.whatsapp": "false"})],
    [
        Case(Suppress("consent_missing"), {"country": "BR"}),
        Case(Suppress("consent_missing"), {"country": "MX"}, fields={"consent.call": "false"}),
    ],
    [
        Case(Suppress("bot"), fields={"bot": "1"}),
        Case(Suppress("bot"), fields={"meta.bot": "true"}),
        Case(Suppress("bot"), {"blocked": Hit("bot", "a robot")}),
    ],
    [Case(Suppress("internal"), {"blocked": Hit("internal", "staff")})],
    [Case(Suppress("not_on_list"), {"phone": NOT_LISTED, "identities": (NOT_LISTED, "jane@example.com")})],
    [Case(Suppress("ramp"), {"person_id": NOT_YET})],
    [Case(Suppress("stage_off"), {"stage": "payment"})],
    [Case(Suppress("country_off"), {"country": "UY"})],
    [Case(Suppress("no_cart"), fields={"cart": None})],
    [
        Case(Suppress("below_minimum"), fields={"cart": '[0.99,"COP",null]'}),
        Case(Suppress("below_minimum"), fields={"cart": '[0.99,"cop",null]'}),
        Case(Suppress("below_minimum"), fields={"cart": '[null,"COP",[["A","1",3,0.3]]]'}),
    ],
    [
        Case(Suppress("bought_recently"), {"purchased_at_ms": NOW_MS - HOUR_MS}),
        Case(Suppress("bought_recently"), person={"bought": True}),
    ],
    [Case(Suppress("session_limit"), session={"contacts": 1})],
    [
        Case(Suppress("contacted_recently"), person={"contacts": (Held(OTHER, NOW_MS - LEASE_MS),)}),
        Case(
            Postpone(LEASE_MS - 1000, "person_held"),
            person={"contacts": (Held(OTHER, NOW_MS - 1000),)},
        ),
    ],
    # After a working day, and before two public holidays.
    [Case(Postpone(3620 * 60_000, "law_PY"), {"phone": IN_PARAGUAY, "country": "PY"})],
    [Case(Postpone(740 * 60_000, "holiday"), {"phone": IN_ARGENTINA, "country": "AR"})],
    [Case(Postpone(20 * 60_000, "quiet_hours"), {"phone": IN_TOKYO, "country": "JP"})],
    [Case(HoldOut(), {"person_id": HELD_OUT})],
]
CASES = [case for cases in IN_ORDER for case in cases]


def test_where_nothing_speaks_against_it_the_request_is_sent() -> None:
    assert decide(FINE, SETTINGS) == Send()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_rule_decides_when_it_alone_applies(case: Case) -> None:
    assert decide(situation(case), SETTINGS) == case.decision


PAIRS = [(a, b) for one, two in combinations(IN_ORDER, 2) for a in one for b in two]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a.decision}-{b.decision}" for a, b in PAIRS])
def test_of_two_rules_that_apply_the_earlier_decides(first: Case, second: Case) -> None:
    assert decide(situation(first, second), SETTINGS) == first.decision


@pytest.mark.parametrize("count", range(1, len(IN_ORDER) + 1))
def test_of_all_rules_that_apply_the_first_decides(count: int) -> None:
    applicable = [cases[0] for cases in IN_ORDER[-count:]]
    assert decide(situation(*applicable), SETTINGS) == applicable[0].decision


@pytest.mark.parametrize("ordered", ["purchase", "purchase_before"])
@pytest.mark.parametrize(
    ("after_ms", "cart", "decision"),
    [
        (1, '[1,"COP",null]', Send()),
        (0, '[1,"COP",null]', Cancel("paid")),
        (-1, '[1,"COP",null]', Cancel("paid")),
        (1, "", Cancel("paid")),
        (None, None, Cancel("paid")),
    ],
)
def test_what_was_bought_is_no_cart_until_there_is_a_new_one(
    ordered: str, after_ms: int | None, cart: str | None, decision: Decision
) -> None:
    stamp = 0 if after_ms is None else (CART_MS + after_ms) * 100
    case = Case(decision, session={ordered: CART_MS * 100, "stamp_of_cart": stamp}, fields={"cart": cart})
    everything_off = SETTINGS.model_copy(update={"disabled_rules": get_args(Switch)})
    for settings in (SETTINGS, everything_off):
        assert decide(situation(case), settings) == decision


def test_every_rule_has_its_case_here() -> None:
    for rule in RULES:
        assert any(rule.ask(situation(case), SETTINGS) == case.decision for case in CASES)
        assert rule.ask(FINE, SETTINGS) is None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_that_is_switched_off_says_nothing(case: Case) -> None:
    (rule,) = {rule for rule in RULES if rule.ask(situation(case), SETTINGS) == case.decision}
    off = SETTINGS.model_copy(update={"disabled_rules": () if rule.switch is None else (rule.switch,)})
    assert (decide(situation(case), off) == case.decision) == (rule.switch is None)


def test_every_switch_is_that_of_a_rule() -> None:
    assert [rule.switch for rule in RULES if rule.switch] == list(get_args(Switch))


def test_every_reason_is_explained() -> None:
    outcomes = {Cancel: "cancelled", Suppress: "suppressed", Expire: "expired"}
    for case in CASES:
        match case.decision:
            case Cancel(reason) | Suppress(reason) | Expire(reason):
                assert reason in REASONS[outcomes[type(case.decision)]]
            case Postpone(_, why):
                assert is_postponement(why)


@pytest.mark.parametrize(("late_ms", "decision"), [(-1, Send()), (0, Send()), (1, Expire("too_old"))])
def test_it_is_too_late_from_the_moment_after_the_last(late_ms: int, decision: Decision) -> None:
    assert decide(replace(FINE, expires_at_ms=NOW_MS - late_ms), SETTINGS) == decision


@pytest.mark.parametrize(
    ("ago_ms", "decision"),
    [
        (0, Suppress("bought_recently")),
        (24 * HOUR_MS - 1, Suppress("bought_recently")),
        (24 * HOUR_MS, Send()),
        (-HOUR_MS, Suppress("bought_recently")),
    ],
)
def test_a_session_that_bought_is_left_alone_for_the_window(ago_ms: int, decision: Decision) -> None:
    assert decide(replace(FINE, purchased_at_ms=NOW_MS - ago_ms), SETTINGS) == decision


@pytest.mark.parametrize(
    ("held_ms", "decision"),
    [
        (-5, Postpone(LEASE_MS + 5, "person_held")),
        (0, Postpone(LEASE_MS, "person_held")),
        (LEASE_MS - 1, Postpone(1, "person_held")),
        (LEASE_MS, Suppress("contacted_recently")),
        (23 * HOUR_MS, Suppress("contacted_recently")),
        (24 * HOUR_MS + LEASE_MS - 1, Suppress("contacted_recently")),
        (24 * HOUR_MS + LEASE_MS, Send()),
    ],
)
def test_a_person_held_by_another_outreach_is_waited_for_until_that_must_have_ended(
    held_ms: int, decision: Decision
) -> None:
    held = Case(Send(), person={"contacts": (Held(OTHER, NOW_MS - held_ms),)})
    assert decide(situation(held), SETTINGS) == decision


@pytest.mark.parametrize("held_ms", [0, LEASE_MS, 23 * HOUR_MS])
def test_an_outreach_is_not_stopped_by_its_own_reservation(held_ms: int) -> None:
    own = Case(Send(), person={"contacts": (Held(ME, NOW_MS - held_ms),)})
    assert decide(situation(own), SETTINGS) == Send()


@pytest.mark.parametrize(("contacts", "limit", "sends"), [(0, 1, True), (1, 1, False), (1, 2, True), (3, 2, False)])
def test_a_session_is_contacted_as_often_as_the_settings_allow(*, contacts: int, limit: int, sends: bool) -> None:
    decision = decide(situation(Case(Send(), session={"contacts": contacts})), ContactSettings(max_per_session=limit))
    assert decision == (Send() if sends else Suppress("session_limit"))


def test_only_the_stages_named_in_the_settings_need_a_cart() -> None:
    without = situation(Case(Send(), fields={"cart": None}))
    for stage in ("cart_review", "checkout"):
        assert decide(replace(without, stage=stage), SETTINGS) == Send()
    everywhere = ContactSettings(needs_cart=("checkout",), quiet_hours=QuietHours())
    assert decide(replace(without, stage="checkout"), everywhere) == Suppress("no_cart")
    assert decide(without, everywhere) == Send()


@pytest.mark.parametrize(
    ("call", "whatsapp", "country", "channels"),
    [
        ("", "", "CO", {"call", "whatsapp"}),
        ("false", "", "CO", {"whatsapp"}),
        ("", "false", "CO", {"call"}),
        ("false", "true", "CO", {"whatsapp"}),
        ("false", "false", "CO", set()),
        ("", "", "BR", set()),
        ("true", "", "BR", {"call"}),
        ("true", "true", "BR", {"call", "whatsapp"}),
        ("true", "false", "BR", {"call"}),
    ],
)
def test_an_explicit_no_always_wins_and_some_countries_need_a_yes(
    call: str, whatsapp: str, country: str, channels: set[str]
) -> None:
    fields: dict[str, str | None] = {"consent.call": call, "consent.whatsapp": whatsapp}
    assert situation(Case(Send(), {"country": country}, fields=fields)).may_use(SETTINGS) == channels


@pytest.mark.parametrize(
    ("phone", "country", "settings", "call", "channels"),
    [
        (
            "+5511987654321",
            "CO",
            {},
            "true",
            {"call"},
        ),  # the number's country requires consent, the customer's does not
        (PHONE, "BR", {}, "", set()),
        ("+34612345678", "ES", {"require_consent": "law"}, "", {"whatsapp"}),
        ("+34612345678", "ES", {"require_consent": "law"}, "true", {"call", "whatsapp"}),
        ("+34612345678", "ES", {"require_consent": "law"}, "false", {"whatsapp"}),
        ("+34612345678", "ES", {"require_consent": "law", "disabled_rules": ["consent"]}, "", {"call", "whatsapp"}),
        (PHONE, "CO", {"by_country": {"CO": {"require_consent": ["whatsapp"]}}}, "", {"call"}),
    ],
)
def test_consent_is_required_by_channel_in_both_countries(
    phone: str, country: str, settings: dict[str, Any], call: str, channels: set[str]
) -> None:
    now = situation(Case(Send(), {"phone": phone, "country": country}, fields={"consent.call": call}))
    assert now.may_use(ContactSettings.model_validate(settings)) == channels


AT_19_40 = {"now_ms": NOW_MS + 2 * HOUR_MS, "expires_at_ms": NOW_MS + 2 * HOUR_MS}  # in Bogota, on a Tuesday


def test_the_law_closes_and_names_its_opening() -> None:
    decision = decide(situation(Case(Send(), AT_19_40)), SETTINGS)
    assert decision == Postpone(12 * HOUR_MS + 20 * 60_000, "law_CO")
    assert isinstance(decision, Postpone)
    assert decision.until == "Wednesday 08:00"


def test_a_region_of_the_customer_closes_too() -> None:
    in_florida = Case(Send(), AT_19_40, fields={"region": "US-FL"})  # 20:40 there
    off = SETTINGS.model_copy(update={"law_off": ("CO",)})
    decision = decide(situation(in_florida), off)
    assert isinstance(decision, Postpone)
    assert decision.why == "law_US-FL"


def test_a_zone_of_the_customer_has_to_be_open_too() -> None:
    late = Case(Send(), fields={"time_zone": "America/Sao_Paulo"})  # 19:40 there
    quiet = ContactSettings.model_validate({"quiet_hours": "19:00-08:00", "law": "off"})
    assert decide(situation(late), quiet) == Postpone(12 * HOUR_MS + 20 * 60_000 + 2 * HOUR_MS, "quiet_hours")
    assert decide(situation(Case(Send(), fields={"time_zone": "Mars"})), quiet) == Send()


def test_quiet_hours_switched_off_leave_the_law_as_it_is() -> None:
    off = SETTINGS.model_copy(update={"disabled_rules": ("quiet_hours",)})
    decision = decide(situation(Case(Send(), AT_19_40)), off)
    assert decision == Postpone(11 * HOUR_MS + 20 * 60_000, "law_CO")


def test_where_nothing_is_ever_open_it_is_suppressed() -> None:
    never = ContactSettings.model_validate({"quiet_hours": "07:00-20:00"})
    assert decide(situation(Case(Send())), never) == Suppress("never_open")


def test_the_cap_can_differ_by_stage() -> None:
    held = Case(Send(), person={"contacts": (Held(OTHER, NOW_MS - 2 * HOUR_MS),)})
    own = ContactSettings.model_validate({"law": "off", "by_stage": {"checkout": {"cap": "1h"}}})
    assert decide(replace(situation(held), stage="checkout"), own) == Send()
    assert decide(replace(situation(held), stage="cart_review"), own) == Suppress("contacted_recently")
    assert own.longest_cap == timedelta(hours=24)


@pytest.mark.parametrize(
    "cart", ['[null,"COP",null]', '[0.5,"USD",null]', "[0.5,null,null]", '[null,"COP",[["A",null,1,null]]]']
)
def test_a_cart_whose_worth_nobody_says_or_limits_is_worth_enough(cart: str) -> None:
    assert decide(situation(Case(Send(), fields={"cart": cart})), SETTINGS) == Send()


def test_shares_are_stable_even_and_independent_of_each_other() -> None:
    people = [str(number) for number in range(20_000)]
    for salt in ("ramp", "holdout ", "holdout autumn"):
        shares = [share_of(person, salt) for person in people]
        assert shares == [share_of(person, salt) for person in people]
        assert all(0 <= share < 100 for share in shares)
        for percent in (1, 10, 50, 90):
            assert abs(sum(share < percent for share in shares) / len(shares) * 100 - percent) < 1.5
    both = sum(share_of(person, "ramp") < 50 and share_of(person, "holdout ") < 50 for person in people)
    assert abs(both / len(people) - 0.25) < 0.015


def test_a_larger_ramp_lets_the_same_people_through_and_more() -> None:
    people = [str(number) for number in range(1000)]
    for small, large in ((0, 10), (10, 50), (50, 100)):
        through = [{p for p in people if share_of(p, "ramp") < percent} for percent in (small, large)]
        assert through[0] < through[1]


@pytest.mark.parametrize("kept", [{"consent.call": "false"}, {"consent.call": "false", "consent.whatsapp": "true"}])
def test_one_open_channel_is_enough(kept: dict[str, str | None]) -> None:
    assert decide(situation(Case(Send(), fields=kept)), SETTINGS) == Send()


def test_the_window_after_a_purchase_is_a_setting() -> None:
    bought = replace(FINE, purchased_at_ms=NOW_MS - HOUR_MS)
    assert decide(bought, ContactSettings(quiet_hours=QuietHours(), purchase_cooldown=timedelta(hours=1))) == Send()
    assert decide(bought, ContactSettings(quiet_hours=QuietHours(), purchase_cooldown=timedelta(hours=2))) == Suppress(
        "bought_recently"
    )
