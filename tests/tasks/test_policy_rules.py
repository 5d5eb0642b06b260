"""The rules of the policy, one by one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from state.people import ContactRecord
from tasks.policy.decisions import Decision, Expire, Postpone, Send, Suppress
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.rules import decide
from tasks.policy.settings import ContactSettings
from tasks.policy.shares import share_of
from tests.support.situations import FINE, HOUR_MS, LEASE_MS, ME, NOW_MS, OTHER, PHONE, SETTINGS, Case, situation

NO_DELAY = {"delay": timedelta(0)}


@pytest.mark.parametrize(("late_ms", "decision"), [(-1, Send()), (0, Send()), (1, Expire("too_old"))])
def test_it_is_too_late_from_the_moment_after_the_last(late_ms: int, decision: Decision) -> None:
    assert decide(replace(FINE, expires_at_ms=NOW_MS - late_ms), SETTINGS.model_copy(update=NO_DELAY)) == decision


@pytest.mark.parametrize(
    ("ago_ms", "decision"),
    [
        (0, Suppress("bought_recently")),
        (24 * HOUR_MS - 1, Suppress("bought_recently")),
        (24 * HOUR_MS, Send()),
        (-HOUR_MS, Suppress("bought_recently")),
    ],
)
def test_bought_session_is_suppressed_for_the_window(ago_ms: int, decision: Decision) -> None:
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
def test_held_person_is_waited_for_until_the_attempt_ends(held_ms: int, decision: Decision) -> None:
    held = Case(Send(), person={"contacts": (ContactRecord(OTHER, NOW_MS - held_ms),)})
    assert decide(situation(held), SETTINGS) == decision


@pytest.mark.parametrize("held_ms", [0, LEASE_MS, 23 * HOUR_MS])
def test_an_outreach_is_not_stopped_by_its_own_reservation(held_ms: int) -> None:
    own = Case(Send(), person={"contacts": (ContactRecord(ME, NOW_MS - held_ms),)})
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
def test_explicit_no_wins_and_some_countries_need_a_yes(
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
        (
            "+34612345678",
            "ES",
            {"require_consent": "law", "disabled_rules": ["consent_missing"]},
            "",
            {"call", "whatsapp"},
        ),
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
    held = Case(Send(), person={"contacts": (ContactRecord(OTHER, NOW_MS - 2 * HOUR_MS),)})
    own = ContactSettings.model_validate({"law": "off", "by_stage": {"checkout": {"cap": "1h"}}})
    assert decide(replace(situation(held), stage="checkout"), own) == Send()
    assert decide(replace(situation(held), stage="cart_review"), own) == Suppress("contacted_recently")
    assert own.longest_cap == timedelta(hours=24)


@pytest.mark.parametrize(
    "cart", ['[null,"COP",null]', '[0.5,"USD",null]', "[0.5,null,null]", '[null,"COP",[["A",null,1,null]]]']
)
def test_cart_without_value_or_limit_is_worth_enough(cart: str) -> None:
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
