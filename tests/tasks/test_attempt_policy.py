"""An attempt follows the policy: other sessions, the holdout, channels, caps, quiet hours."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from state.decisions import Operator
from state.people import person_of
from state.session_record import RANK_SPAN
from state.sessions import Change
from tasks.delivery.attempt import attempt
from tasks.delivery.settings import DEFAULT_ENDPOINT
from tasks.delivery.settling import AttemptOutcome
from tasks.policy.block_settings import BlockSettings
from tasks.policy.blocklist import compiled
from tests.support.attempts import attempt_again, held_by, yuno
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, Event, event, happen
from tests.support.outreaches import dispatch, sweep
from tests.support.policy_attempts import contact, dispatched, elsewhere
from tests.support.states import SECRET
from tests.support.stored_state import counters, now_ms, score_of, stored
from winback.operations.outreach_story import explain_outreach
from worker.runtime import State


def test_person_active_in_another_session_is_not_contacted(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "cancelled", "active_elsewhere")
        assert server.requests == []
    assert counters(state)["cancelled.active_elsewhere"] == 1


def test_person_elsewhere_with_a_wrong_clock_is_not_contacted(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state, occurred_at=(now_ms(state) - 5 * HOUR_MS) / 1000)
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps).reason == "active_elsewhere"


def test_goods_that_were_bought_are_not_asked_about_again(state: State) -> None:
    cart = {"total_value": 3, "currency": "COP"}
    happen(state, event(customer=JANE, cart=cart), ago_ms=3 * HOUR_MS)
    happen(state, event("order_completed", stage=None), ago_ms=2 * HOUR_MS)
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "cancelled", "paid")
        assert server.requests == []


def test_request_names_the_original_session_id(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    said = {"id": "gid://shopify/Cart/c1-7"}
    sequence = (now_ms(state) - HOUR_MS) * RANK_SPAN
    state.sessions.apply([Change("s-1", sequence, 0, 0, 0, 0, said)])
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "sent"
        ((_, body),) = server.requests
    assert json.loads(body)["session"]["session_id"] == "gid://shopify/Cart/c1-7"


def test_return_elsewhere_during_the_delay_cancels(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state, ago_ms=-1000)
    assert sweep(state, silent_for_ms=-2000) == 1
    assert stored(state, "s-2").state == "abandoned"
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "cancelled", "active_elsewhere")


@pytest.mark.parametrize(
    "fields", [{"ago_ms": 2 * HOUR_MS}, {"kind": "order_completed"}], ids=["before", "and_has_bought"]
)
def test_an_earlier_or_ended_session_of_the_person_stops_nothing(state: State, fields: dict[str, object]) -> None:
    outreach = dispatched(state)
    elsewhere(state, **fields)  # type: ignore[arg-type]
    with yuno(state) as (deps, _):
        outcome = attempt(outreach, deps)
    assert outcome.outcome == ("suppressed" if "kind" in fields else "sent")
    assert outcome.reason == ("bought_recently" if "kind" in fields else "")


def test_two_silent_sessions_do_not_block_each_other(state: State) -> None:
    outreach = dispatched(state)
    elsewhere(state, ago_ms=30 * MINUTE_MS)
    assert sweep(state, silent_for_ms=20 * MINUTE_MS) == 1
    with yuno(state) as (deps, _):
        assert attempt(outreach, deps).outcome == "sent"
        second = stored(state, "s-2").outreach
        dispatch(state)
        assert attempt(second, deps).outcome == "postponed"


@pytest.mark.parametrize(
    ("consent", "wanted", "usual", "channel"),
    [
        (None, None, "auto", "auto"),
        (None, None, "call", "call"),
        (None, "whatsapp", "call", "whatsapp"),
        ({"call": False}, None, "auto", "whatsapp"),
        ({"call": False}, "call", "auto", "whatsapp"),
        ({"whatsapp": False, "call": True}, "whatsapp", "whatsapp", "call"),
        ({"call": True, "whatsapp": True}, "call", "auto", "call"),
    ],
)
def test_the_channel_is_one_that_may_be_used(
    state: State, consent: Event | None, wanted: str | None, usual: str, channel: str
) -> None:
    fields: Event = {"customer": {"consent": consent}} if consent else {}
    if wanted:
        fields["engagement"] = {"preferred_channel": wanted}
    outreach = dispatched(state, **fields)
    with yuno(state) as (deps, server):
        assert attempt(outreach, replace(deps, contact=contact(channel=usual))).outcome == "sent"
        (request,) = server.requests
    assert json.loads(request[1])["engagement"]["preferred_channel"] == channel


def test_a_quiet_time_is_waited_out_and_then_it_is_sent(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        quiet = replace(deps, contact=contact(quiet_hours=_around_now(state)))
        assert attempt(outreach, quiet) == AttemptOutcome(outreach, "postponed", "quiet_hours")
        due_ms = score_of(state, state.keys.due(int(outreach[:2])), outreach)
        assert due_ms is not None
        assert 0 < due_ms - now_ms(state) <= 3 * HOUR_MS
        assert server.requests == []
        assert attempt_again(state, outreach, deps).outcome == "sent"


def test_shop_holiday_is_reported_with_its_opening(state: State) -> None:
    outreach = dispatched(state)
    today = datetime.fromtimestamp(now_ms(state) / 1000, timezone(timedelta(hours=-5))).date()
    with yuno(state) as (deps, server):
        closed = replace(deps, contact=contact(holidays=[f"CO:{today}"]))
        assert attempt(outreach, closed) == AttemptOutcome(outreach, "postponed", "holiday")
        assert server.requests == []
    (found,) = Operator(state.scripts, state.keys, state.cipher).read([outreach])
    assert found is not None
    tomorrow = f"{today + timedelta(days=1):%A}"
    assert explain_outreach(found, reveal=False, now_ms=0)["history"][-1]["text"] == (
        f"postponed: holiday, opens {tomorrow} 00:00"
    )


def _around_now(state: State) -> str:
    """Return a quiet time in Bogota, five hours behind UTC, from an hour ago to two hours from now."""
    hour = (now_ms(state) // HOUR_MS - 5) % 24
    return f"{(hour - 1) % 24:02d}:00-{(hour + 2) % 24:02d}:00"


def test_cap_of_a_stage_counts_at_the_reservation(state: State) -> None:
    outreach = dispatched(state)
    person = person_of(JANE["phone_number"], SECRET)
    held = f"1:{now_ms(state) - 2 * HOUR_MS}"
    state.client.hset(f"{state.keys.person(person)}reserved", "07-0123456789abcdef", held)
    state.client.pexpire(f"{state.keys.person(person)}reserved", HOUR_MS)
    with yuno(state) as (deps, _):
        own = contact(by_stage={"checkout": {"cap": "1h"}})
        assert attempt(outreach, replace(deps, contact=own)).outcome == "sent"
    assert held_by(state) == outreach


@pytest.mark.parametrize(
    ("customer", "reason"),
    [
        ({"email": "shopper-check-7@storebot.example"}, "bot"),
        ({"email": "someone@shop.com"}, "internal"),
        ({"full_name": "Quality Crew"}, "internal"),
        ({"phone_number": "+573009999999"}, "internal"),
    ],
)
def test_shopper_on_the_block_list_is_not_contacted(state: State, customer: dict[str, str], reason: str) -> None:
    outreach = dispatched(state, customer=customer)
    block = {
        "internal_domains": ["shop.com"],
        "internal_names": ["Quality Crew"],
        "internal_numbers": ["+573009999999"],
    }
    with yuno(state) as (deps, server):
        listed = replace(deps, blocklist=compiled(BlockSettings.model_validate(block)))
        assert attempt(outreach, listed) == AttemptOutcome(outreach, "suppressed", reason)
        assert not server.requests
    assert counters(state) == {f"suppressed.{reason}": 1}


def test_fictitious_number_is_contacted_in_a_rehearsal_only(state: State) -> None:
    outreach = dispatched(state, customer={"phone_number": "+14155550199", "country_code": "US"})
    with yuno(state) as (deps, server):
        assert deps.delivery.rehearses
        assert attempt(outreach, replace(deps, blocklist=compiled(BlockSettings(), rehearsal=True))).outcome == "sent"
        assert len(server.requests) == 1
    assert not deps.delivery.model_copy(update={"endpoint": DEFAULT_ENDPOINT}).rehearses
