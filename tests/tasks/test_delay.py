"""A contact waits for `contact.delay`, and its channel depends on the cart's value."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tasks.policy.decisions import Decision, Expire, Postpone, Send
from tasks.policy.rules import decide
from tasks.policy.setting_fields import CountryContact
from tasks.policy.settings import ContactSettings
from tests.support.attempts import attempt_again, yuno
from tests.support.durations import HOUR_MS
from tests.support.events import event, happen
from tests.support.passing_time import let_time_pass
from tests.support.policy_attempts import contact, dispatched
from tests.support.situations import FINE, NOW_MS, SETTINGS, Case, situation
from tests.support.stored_state import now_ms, record, score_of
from worker.runtime import State


def test_contact_is_made_after_the_delay(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        later = replace(deps, contact=contact(delay="2d"))
        assert attempt(outreach, later) == AttemptOutcome(outreach, "postponed", "delay")
        assert server.requests == []
        due_ms = score_of(state, state.keys.due(int(outreach[:2])), outreach)
        assert due_ms is not None
        assert 47 * HOUR_MS < due_ms - now_ms(state) <= 48 * HOUR_MS
        # The outreach is older than detection.max_abandonment_age then.
        let_time_pass(state, outreach, 48 * HOUR_MS)
        assert attempt_again(state, outreach, later).outcome == "sent"


def test_return_during_the_delay_cancels(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, replace(deps, contact=contact(delay="2d"))).reason == "delay"
        happen(state, event(stage="payment"))
        assert record(state, outreach)["reason"] == "came_back"
        assert score_of(state, state.keys.due(int(outreach[:2])), outreach) is None
        assert server.requests == []


@pytest.mark.parametrize(("total", "channel"), [(199_999, "whatsapp"), (200_000, "call")])
def test_channel_of_the_request_depends_on_the_cart(state: State, total: float, channel: str) -> None:
    outreach = dispatched(state, cart={"total_value": total, "currency": "COP"})
    with yuno(state) as (deps, server):
        by_value = contact(channel="call", whatsapp_below={"COP": 200_000})
        assert attempt(outreach, replace(deps, contact=by_value)).outcome == "sent"
        (request,) = server.requests
    assert json.loads(request[1])["engagement"]["preferred_channel"] == channel


def test_event_that_names_a_channel_takes_precedence(state: State) -> None:
    cheap = {"total_value": 1, "currency": "COP"}
    outreach = dispatched(state, cart=cheap, engagement={"preferred_channel": "call"})
    with yuno(state) as (deps, server):
        by_value = contact(channel="call", whatsapp_below={"COP": 200_000})
        assert attempt(outreach, replace(deps, contact=by_value)).outcome == "sent"
        (request,) = server.requests
    assert json.loads(request[1])["engagement"]["preferred_channel"] == "call"


@pytest.mark.parametrize(("late_ms", "decision"), [(0, Send()), (1, Expire("too_old"))])
def test_delay_makes_the_longest_age_longer(late_ms: int, decision: Decision) -> None:
    assert decide(replace(FINE, expires_at_ms=NOW_MS - 10 * 60_000 - late_ms), SETTINGS) == decision


@pytest.mark.parametrize(
    ("ago_ms", "decision"),
    [
        (-1, Send()),
        (0, Postpone(600_000, "delay")),
        (599_999, Postpone(1, "delay")),
        (600_000, Send()),
    ],
)
def test_contact_waits_for_the_delay_after_the_claim(ago_ms: int, decision: Decision) -> None:
    assert decide(replace(FINE, claimed_at_ms=NOW_MS - ago_ms), SETTINGS) == decision


def test_stage_can_have_a_delay_of_its_own() -> None:
    claimed = replace(FINE, claimed_at_ms=NOW_MS)
    stages = ContactSettings.model_validate({"delay": "1h", "by_stage": {"product_selection": {"delay": "off"}}})
    assert decide(claimed, stages) == Send()
    assert decide(replace(claimed, stage="checkout"), stages) == Postpone(HOUR_MS, "delay")
    country = stages.model_copy(update={"by_country": {"CO": CountryContact()}})
    assert decide(claimed, country) == Send()


@pytest.mark.parametrize("text", ["8d", "-1s", "5", "soon"])
def test_invalid_delay_names_the_fix(text: str) -> None:
    with pytest.raises(ValidationError, match="or off"):
        ContactSettings.model_validate({"delay": text})


@pytest.mark.parametrize(
    ("cart", "channel"),
    [
        ('[49.99,"USD",null]', "whatsapp"),
        ('[50,"usd",null]', "call"),
        ('[null,"USD",[["A","1",2,24.99]]]', "whatsapp"),
        ('[1,"EUR",null]', "call"),
        ('[null,"USD",null]', "call"),
        ("[1,null,null]", "call"),
        (None, "call"),
    ],
)
def test_channel_depends_on_the_value_of_the_cart(cart: str | None, channel: str) -> None:
    by_value = ContactSettings.model_validate({"channel": "call", "whatsapp_below": {"USD": 50}})
    assert situation(Case(Send(), fields={"cart": cart})).channel(by_value) == channel


def test_stage_replaces_the_value_below_which_a_message_is_sent() -> None:
    stages = {"product_selection": {"whatsapp_below": {"COP": 3}}}
    cheap = situation(Case(Send(), fields={"cart": '[2,"COP",null]'}))
    by_value = ContactSettings.model_validate({"channel": "call", "whatsapp_below": {"COP": 1}, "by_stage": stages})
    assert cheap.channel(by_value) == "whatsapp"
    assert replace(cheap, stage="checkout").channel(by_value) == "call"
    # A country's own channel is its channel for every cart.
    country = by_value.model_copy(update={"by_country": {"CO": CountryContact(channel="call")}})
    assert cheap.channel(country) == "call"
    silent = by_value.model_copy(update={"by_country": {"CO": CountryContact()}})
    assert cheap.channel(silent) == "whatsapp"
