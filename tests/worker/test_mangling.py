"""Doubt protects the shopper: for any form of a stop signal, no protected person is contacted.

Orders, opt-outs and refusals are mangled, and activities too; the whole path is run, up to the requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import Event, arrived, event
from tests.support.mangled_signals import SAID_YES, by_person, by_session, one_of, refusals, written
from tests.support.mangling import ANA, EMAIL, PHONE, checkout, contacts, contacts_of, numbers
from tests.support.redis_clients import emptied
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

FEW = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def mangled(valkey: EmbeddedValkey) -> Iterator[State]:
    """A server that every example empties for itself."""
    with emptied(valkey) as state:
        yield state


def test_without_a_signal_the_shopper_is_contacted(mangled: State) -> None:
    assert numbers(contacts(mangled, checkout())) == [PHONE]


@given(written(by_person("order_completed")))
@FEW
def test_no_mangled_order_of_a_person_leads_to_a_contact(mangled: State, raw: bytes) -> None:
    assert contacts(mangled, checkout(), raw) == []


@given(written(by_session()))
@FEW
def test_no_mangled_order_of_a_cart_leads_to_a_contact(mangled: State, raw: bytes) -> None:
    assert contacts(mangled, checkout(), raw) == []


@given(written(by_person("opt_out")), st.booleans())
@FEW
def test_no_mangled_opt_out_leads_to_a_contact(mangled: State, raw: bytes, is_first: bool) -> None:  # noqa: FBT001
    assert contacts(mangled, *((raw, checkout()) if is_first else (checkout(), raw))) == []


@given(refusals(), st.booleans())
@FEW
def test_no_mangled_refusal_leads_to_a_contact(mangled: State, made: dict[str, Any], is_first: bool) -> None:  # noqa: FBT001
    # No later event is an explicit yes.
    agreed = checkout(customer=SAID_YES)
    assert contacts(mangled, *((made, checkout()) if is_first else (agreed, made))) == []


@pytest.mark.parametrize(
    "made",
    [
        {"type": "orders/paid", "id": 8, "email": "", "billing_address": {"phone": "(11) 98765-4321"}},
        {"type": "order_completed", "session_id": "8", "note_attributes": [{"name": "cart_id", "value": "s-1"}]},
        {"id": 7, "order_key": "wc_order_58d2", "status": "processing", "billing": {"email": EMAIL}},
        {"type": "sales_order_place_after", "entity_id": "3", "quote_id": "s-1"},
        {"type": "order-created", "orderId": "v5", "clientProfileData": {"email": f"{EMAIL}-12345b.ct.vtex.com.br"}},
        {"type": "track", "event": "Order Completed", "anonymousId": "s-1", "properties": {"order_id": "5"}},
        {"type": "OrderCompleted", "orderNo": "1", "shipments": [{"shippingAddress": {"phone": "+55 11 98765-4321"}}]},
        {"type": "store/order/created", "data": {"type": "order", "id": 3, "cart_id": "s-1"}},
        {"type": "order_completed", "order": {"id_cart": "s-1"}},
        {"type": "checkout.session.completed", "data": {"object": {"client_reference_id": "s-1"}}},
        {"type": "opt_out", "From": "whatsapp:+5511987654321", "Body": "STOP"},
        {"type": "opt_out", "contacts": [{"wa_id": "5511987654321"}]},
        {"type": "opt_out", "customer": {"phone_number": "11987654321", "country_code": "US"}},
    ],
)
def test_a_signal_in_the_form_of_a_platform_stops(mangled: State, made: Event) -> None:
    assert contacts(mangled, checkout(), made) == []


# Activities


@pytest.mark.parametrize(
    ("cart", "moment"), [({"items": []}, "2019-01-01 00:00:00"), (None, 0), ({"is_empty": True}, None)]
)
def test_an_emptied_cart_stops_whatever_its_time(mangled: State, cart: object, moment: object) -> None:
    assert contacts(mangled, checkout(), event(cart=cart, occurred_at=moment)) == []


@pytest.mark.parametrize("kind", ["cart_emptied", "Cart Cleared", "emptyCart"])
def test_type_emptied_empties_the_cart(mangled: State, kind: str) -> None:
    assert contacts(mangled, checkout(), {"type": kind, "session_id": "s-1"}) == []


@pytest.mark.parametrize(
    ("of_pages", "of_order"),
    [
        ("gid://shopify/Cart/c1-7a2abe82733a34e84aa472d57fb5c3c1?key=8", "c1-7a2abe82733a34e84aa472d57fb5c3c1"),
        ("c1-7a2abe82733a34e84aa472d57fb5c3c1", "gid://shopify/Cart/c1-7a2abe82733a34e84aa472d57fb5c3c1?key=9"),
    ],
)
def test_an_order_closes_the_cart_that_pages_call_otherwise(mangled: State, of_pages: str, of_order: str) -> None:
    assert contacts(mangled, checkout(of_pages), {"type": "orders/create", "id": 1, "cart_token": of_order}) == []


# Order and repetition


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Event], list[int]]:
    """Draw events of a session with an order, opt-out, refusal or an emptied cart, and an order of arrival."""
    stop: Event = draw(
        one_of(
            [
                {"type": "order_completed", "session_id": "s-1"},
                {"type": "order_completed", "customer": {"email": EMAIL}},
                {"type": "opt_out", "session_id": "s-1"},
                {"type": "opt_out", "customer": {"phone_number": PHONE}},
                event(customer={"consent": False}),
                event(cart={"items": []}),
                event(cart={"total_value": 0}),
            ]
        )
    )
    made = [checkout(), event(stage="payment"), checkout(customer=SAID_YES), stop]
    if draw(st.booleans()):
        made.insert(1, event(session="s-0", customer=ANA))
        made.insert(2, event(previous_session_id="s-0"))
    places = list(range(len(made)))
    return made, draw(st.permutations(places + draw(st.lists(one_of(places), max_size=3))))


@given(shuffled())
@FEW
def test_no_order_of_arrival_of_a_stop_leads_to_a_contact(mangled: State, found: tuple[list[Event], list[int]]) -> None:
    made, arrivals = found
    mangled.client.flushall()
    at_ms = now_ms(mangled) - 3 * HOUR_MS
    timed = [one | {"occurred_at": at_ms + place * MINUTE_MS} for place, one in enumerate(made)]
    entries = [arrived(timed[place], at_ms + HOUR_MS // 2 + turn) for turn, place in enumerate(arrivals)]
    assert contacts_of(mangled, *entries) == []
