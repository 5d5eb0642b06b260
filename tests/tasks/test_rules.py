from itertools import combinations

import pytest
from pydantic import ValidationError

from state.people import ContactRecord
from tasks.policy.blocklist import Hit
from tasks.policy.decisions import Cancel, Decision, Expire, HoldOut, Postpone, Send, Suppress
from tasks.policy.reasons import REASONS, is_postponement
from tasks.policy.rule_table import RULES, Rule
from tasks.policy.rules import CHECKS, decide
from tasks.policy.settings import ContactSettings
from tests.support.situations import (
    CART_MS,
    FINE,
    HOUR_MS,
    IN_ARGENTINA,
    IN_PARAGUAY,
    IN_TOKYO,
    LEASE_MS,
    NOT_LISTED,
    NOW_MS,
    OTHER,
    SETTINGS,
    SHARES,
    Case,
    situation,
)

NOT_YET = next(who for who, (ramp, holdout) in SHARES.items() if ramp >= 90 and holdout >= 10)
HELD_OUT = next(who for who, (ramp, holdout) in SHARES.items() if ramp < 90 and holdout < 10)


# In the documented order of the contact policy, with several ways to apply for most rules.
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
    [Case(Expire("too_old"), {"expires_at_ms": NOW_MS - 10 * 60_000 - 1})],
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
    [
        Case(Postpone(1, "payment_in_progress"), person={"paying_until_ms": NOW_MS + 1}),
        Case(Postpone(600_000, "payment_in_progress"), person={"paying_until_ms": NOW_MS + HOUR_MS}),
    ],
    [Case(Suppress("session_limit"), session={"contacts": 1})],
    [
        Case(Suppress("contacted_recently"), person={"contacts": (ContactRecord(OTHER, NOW_MS - LEASE_MS),)}),
        Case(
            Postpone(LEASE_MS - 1000, "person_held"),
            person={"contacts": (ContactRecord(OTHER, NOW_MS - 1000),)},
        ),
    ],
    # After a working day, and before two public holidays.
    [Case(Postpone(3620 * 60_000, "law_PY"), {"phone": IN_PARAGUAY, "country": "PY"})],
    [Case(Postpone(740 * 60_000, "holiday"), {"phone": IN_ARGENTINA, "country": "AR"})],
    [Case(Postpone(20 * 60_000, "quiet_hours"), {"phone": IN_TOKYO, "country": "JP"})],
    [
        Case(Postpone(1, "delay"), {"claimed_at_ms": NOW_MS - 10 * 60_000 + 1}),
        Case(Postpone(600_000, "delay"), {"claimed_at_ms": NOW_MS}),
    ],
    [Case(HoldOut(), {"person_id": HELD_OUT})],
]
CASES = [case for cases in IN_ORDER for case in cases]


def test_where_nothing_speaks_against_it_the_request_is_sent() -> None:
    assert decide(FINE, SETTINGS) == Send()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_rule_decides_when_only_it_applies(case: Case) -> None:
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
    everything_off = SETTINGS.model_copy(update={"disabled_rules": tuple(rule.name for rule in RULES)})
    for settings in (SETTINGS, everything_off):
        assert decide(situation(case), settings) == decision


def test_every_rule_has_a_function_and_every_function_a_rule() -> None:
    assert {rule.name for rule in RULES} == set(CHECKS)


def test_every_rule_has_its_case_here() -> None:
    for rule in RULES:
        assert any(CHECKS[rule.name](situation(case), SETTINGS) == case.decision for case in CASES)
        assert CHECKS[rule.name](FINE, SETTINGS) is None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_disabled_rule_is_skipped(case: Case) -> None:
    (rule,) = {rule for rule in RULES if CHECKS[rule.name](situation(case), SETTINGS) == case.decision}
    off = SETTINGS.model_copy(update={"disabled_rules": (rule.name,)})
    assert (decide(situation(case), off) == case.decision) == rule.always


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_setting_disables_a_rule_unless_it_is_always_asked(rule: Rule) -> None:
    values = {"disabled_rules": [rule.name]}
    if not rule.always:
        assert ContactSettings.model_validate(values).disabled_rules == (rule.name,)
        return
    with pytest.raises(ValidationError, match=f"'{rule.name}', which isn't a rule that can be disabled"):
        ContactSettings.model_validate(values)


@pytest.mark.parametrize(("name", "hint"), [("below_minium", "write below_minimum"), ("nonsense", "winback reasons")])
def test_unknown_rule_in_the_setting_gives_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        ContactSettings.model_validate({"disabled_rules": name})


def test_rules_give_their_names_as_reasons() -> None:
    for rule in RULES:
        decisions = [found for case in CASES if (found := CHECKS[rule.name](situation(case), SETTINGS)) is not None]
        assert {reason_of(found) for found in decisions} - {"person_held"} == {rule.name}


def reason_of(decision: Decision) -> str:
    match decision:
        case Cancel(reason) | Suppress(reason) | Expire(reason):
            return reason
        case Postpone(_, why):
            return "law" if why.startswith("law_") else why
    return "holdout"


def test_every_reason_is_explained() -> None:
    outcomes = {Cancel: "cancelled", Suppress: "suppressed", Expire: "expired"}
    for case in CASES:
        match case.decision:
            case Cancel(reason) | Suppress(reason) | Expire(reason):
                assert reason in REASONS[outcomes[type(case.decision)]]
            case Postpone(_, why):
                assert is_postponement(why)
