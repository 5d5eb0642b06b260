"""Parts of requests whose session is found when they are written."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic_core import from_json

from detectors.json_values import JsonObject
from state.visitors import Visitors
from storefronts.results import Alias, Profile, Translated, Visitor, VisitorId
from tests.support.states import SECRET
from worker.collector.visits import Placing, unplaced
from worker.runtime import State

RECEIVED = datetime(2026, 12, 1, 12, tzinfo=UTC)
ANONYMOUS = Visitor((VisitorId("anonymous", "a-1"),), ())
PHONE = "+573001234567"


def placed(state: State, *parts: Translated | Profile) -> list[JsonObject]:
    placing = Placing(Visitors(state.scripts, state.keys, SECRET))
    return [from_json(event) for event in placing.events([unplaced(part, "", RECEIVED).line() for part in parts])]


@pytest.mark.parametrize(("customer", "is_sent"), [({"phone_number": PHONE}, True), ({"full_name": "Jane"}, False)])
def test_refusal_of_a_profile_does_not_wait_for_a_session(state: State, customer: JsonObject, *, is_sent: bool) -> None:
    refusal = {**customer, "consent": {"call": False}}
    found = placed(state, Profile(refusal, ANONYMOUS, RECEIVED))
    assert [event["customer"] for event in found] == ([refusal] if is_sent else [])


def test_time_of_a_profile_can_be_wrong(state: State) -> None:
    profile = Profile({"phone_number": PHONE}, ANONYMOUS, datetime(1, 1, 1, tzinfo=UTC))
    activity: JsonObject = {"type": "activity", "flow_stage": "checkout", "platform": "web"}
    found = placed(state, profile, Translated(activity, visitor=ANONYMOUS, session_by="visitor"))
    assert [event["customer"] for event in found] == [{"phone_number": PHONE}]


def test_profile_without_a_refusal_waits(state: State) -> None:
    assert placed(state, Profile({"phone_number": PHONE, "consent": {"call": True}}, ANONYMOUS, RECEIVED)) == []


@pytest.mark.parametrize("stated", ["yesterday", 7, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_unreadable_time_of_one_event_costs_nothing(state: State, stated: object) -> None:
    events = [
        {"type": "activity", "flow_stage": "checkout", "platform": "web", "occurred_at": one}
        for one in (stated, (RECEIVED - timedelta(minutes=1)).isoformat())
    ]
    found = placed(state, *(Translated(event, visitor=ANONYMOUS, session_by="visitor") for event in events))
    assert [event["occurred_at"] for event in found] == [event["occurred_at"] for event in events]
    assert len({event["session_id"] for event in found}) == 1


ORDER_17 = Visitor(aliases=(Alias("order", "17"),))
CHECKOUT_17 = Visitor((VisitorId("anonymous", "a-2"),), ORDER_17.aliases)


@pytest.mark.parametrize("is_paid_first", [False, True])
def test_payment_finds_a_checkout_that_is_placed_with_it(state: State, *, is_paid_first: bool) -> None:
    # While Redis was down, both waited in the spool.
    checkout = Translated(activity(RECEIVED - timedelta(minutes=2)), visitor=CHECKOUT_17, session_by="visitor")
    paid: JsonObject = {"type": "order_completed", "occurred_at": (RECEIVED - timedelta(minutes=1)).isoformat()}
    payment = Translated(paid, visitor=ORDER_17, session_by="alias")
    parts = [unplaced(checkout, "shop-b", RECEIVED), unplaced(payment, "", RECEIVED)]
    lines = [part.line() for part in (reversed(parts) if is_paid_first else parts)]
    found = [from_json(event) for event in several_shops(state).events(lines)]
    assert len({event["session_id"] for event in found}) == 1
    assert {event["type"] for event in found} == {"activity", "order_completed"}


def test_order_of_two_possible_shops_ends_only_their_sessions(state: State) -> None:
    for shop in ("shop-a", "shop-b", "shop-c"):
        checkout = Translated(
            activity(RECEIVED) | {"session_id": f"cart of {shop}"},
            visitor=Visitor((VisitorId("anonymous", shop),), () if shop == "shop-c" else ORDER_17.aliases),
            session_by="visitor",
        )
        several_shops(state).events([unplaced(checkout, shop, RECEIVED).line()])
    paid = Translated({"type": "order_completed"}, visitor=ORDER_17, session_by="alias")
    found = several_shops(state).events([unplaced(paid, "", RECEIVED).line()])
    assert [from_json(event)["session_id"] for event in found] == ["cart of shop-a", "cart of shop-b"]


def activity(occurred: datetime) -> JsonObject:
    return {"type": "activity", "flow_stage": "checkout", "platform": "web", "occurred_at": occurred.isoformat()}


def several_shops(state: State) -> Placing:
    return Placing(Visitors(state.scripts, state.keys, SECRET), shops=["shop-a", "shop-b", "shop-c"])
