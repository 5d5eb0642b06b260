"""Visitors of sources without session ids: one session at a time, whatever is repeated or comes late."""

import json
from itertools import permutations

import pytest

from state.cipher import Cipher, cipher_of
from state.visitors import Placed, Visit, Visitors
from tests.support.durations import DAY_MS
from tests.support.states import SECRET
from worker.runtime import State

AT_MS = 1_900_000_000_000
PHONE = {"phone_number": "+573001234567"}
SEGMENT = "segment"


def visitors_of(state: State, cipher: Cipher | None = None) -> Visitors:
    return Visitors(state.scripts, state.keys, SECRET, cipher)


def visit(after_ms: int = 0, visitor: str = "anonymous-1", **more: object) -> Visit:
    return Visit(AT_MS + after_ms, visitor, **more)  # type: ignore[arg-type]


def place(state: State, *visits: Visit) -> list[Placed]:
    return [visitors_of(state).place(SEGMENT, [one])[0] for one in visits]


def sessions(state: State, *visits: Visit) -> list[str]:
    return [placed.session for placed in place(state, *visits)]


def test_events_of_one_visitor_share_a_session(state: State) -> None:
    assert sessions(state, visit(ids=["cart-1"]), visit(1), visit(2, ids=["checkout-1"])) == ["cart-1"] * 3


def test_visitors_have_sessions_of_their_own(state: State) -> None:
    first, second = sessions(state, visit(), visit(visitor="anonymous-2"))
    assert first != second


def test_session_without_an_id_is_named_after_no_device(state: State) -> None:
    (found,) = sessions(state, visit(visitor="device-123"))
    assert found
    assert "device-123" not in found
    assert not [key for key in state.client.scan_iter() if b"device-123" in key]


@pytest.mark.parametrize("known", ["cart-1", "checkout-1"])
def test_event_without_a_visitor_is_found_by_its_ids(state: State, known: str) -> None:
    order = Visit(AT_MS + 5, is_order=True, ids=[known, "order-1"])
    assert sessions(state, visit(ids=["cart-1", "checkout-1"]), order) == ["cart-1", "cart-1"]


def test_order_without_any_known_id_is_its_own_session(state: State) -> None:
    assert sessions(state, visit(ids=["cart-1"]), Visit(AT_MS, is_order=True, ids=["order-1"])) == ["cart-1", "order-1"]


def test_after_an_order_a_visitor_begins_again(state: State) -> None:
    found = sessions(
        state, visit(ids=["cart-1"]), visit(1, is_order=True, ids=["order-1"]), visit(2, ids=["cart-2"]), visit(3)
    )
    assert found == ["cart-1", "cart-1", "cart-2", "cart-2"]


def test_event_from_before_the_order_belongs_to_its_session(state: State) -> None:
    found = sessions(
        state, visit(ids=["cart-1"]), visit(5, is_order=True, ids=["order-1"]), visit(6, ids=["cart-2"]), visit(4)
    )
    assert found[-1] == "cart-1"


def test_repeated_order_changes_nothing(state: State) -> None:
    order = visit(1, is_order=True, ids=["order-1"])
    place(state, visit(ids=["cart-1"]), order, visit(2, ids=["cart-2"]))
    before = state.client.hgetall(*state.client.keys("*visitor:*"))
    assert sessions(state, order) == ["cart-1"]
    assert state.client.hgetall(*state.client.keys("*visitor:*")) == before


def test_any_sequence_before_an_order_leads_to_one_session(state: State) -> None:
    story = [visit(ids=["cart-1"]), visit(1, ids=["checkout-1"]), visit(2), visit(1, ids=["checkout-1"])]
    for some in permutations(story):
        found = sessions(state, *some, visit(3, is_order=True, ids=["order-1"]))
        assert len(set(found)) == 1
        state.client.flushall()


@pytest.mark.parametrize("visitor", ["", "anonymous-1"])
def test_user_is_the_visitor_seen_with_them(state: State, visitor: str) -> None:
    found = sessions(
        state,
        visit(user="user-1", ids=["cart-1"]),
        Visit(AT_MS + 1, visitor, "user-1", is_order=True, ids=["order-1"]),
    )
    assert found == ["cart-1", "cart-1"]


def test_user_without_a_visitor_has_a_session(state: State) -> None:
    first, second = sessions(state, Visit(AT_MS, user="user-1"), Visit(AT_MS + 1, user="user-1"))
    assert first == second


def test_cart_of_another_source_event_is_continued(state: State) -> None:
    place(state, visit(visitor="server", ids=["cart-9"]), visit(visitor="browser", ids=["cart-1"]))
    (found,) = place(state, visit(3, visitor="browser", ids=["cart-9"]))
    assert (found.session, found.continues) == ("cart-9", "cart-1")
    assert place(state, visit(4, visitor="browser"))[0] == Placed("cart-9", "", "", {})


# The customer


def test_customer_waits_for_the_session(state: State) -> None:
    identify = visit(begins=False, customer=PHONE)
    assert place(state, identify) == [Placed("", "", "", {})]
    assert place(state, visit(1, ids=["cart-1"]))[0].customer == PHONE


def test_customer_is_sent_again_with_a_repeated_event(state: State) -> None:
    cart = visit(1, ids=["cart-1"])
    found = place(state, visit(begins=False, customer=PHONE), cart, cart, visit(2), cart)
    assert [one.customer for one in found] == [{}, PHONE, PHONE, {}, {}]


@pytest.mark.parametrize("newest_first", [True, False])
def test_newest_value_of_the_customer_waits(state: State, *, newest_first: bool) -> None:
    said = [
        visit(customer={"email": "old@example.com", "full_name": "Jane"}, begins=False),
        visit(1000, customer={"email": "new@example.com"}, begins=False),
    ]
    place(state, *(reversed(said) if newest_first else said))
    assert place(state, visit(2000))[0].customer == {"email": "new@example.com", "full_name": "Jane"}


def test_waiting_customer_is_encrypted(state: State) -> None:
    keyed = visitors_of(state, cipher_of(bytes(range(32)).hex()))
    keyed.place(SEGMENT, [visit(begins=False, customer=PHONE)])
    (stored,) = [value for key in state.client.keys("*visitor:*") for value in state.client.hgetall(key).values()]
    assert b"300" not in stored
    assert keyed.place(SEGMENT, [visit(1)])[0].customer == PHONE


def test_waiting_customer_under_a_lost_key_costs_no_event(state: State) -> None:
    visitors_of(state, cipher_of(bytes(range(32)).hex())).place(SEGMENT, [visit(begins=False, customer=PHONE)])
    other = visitors_of(state, cipher_of(bytes(range(1, 33)).hex()))
    assert other.place(SEGMENT, [visit(1, ids=["cart-1"])]) == [Placed("cart-1", "", "", {})]


def test_last_place_in_the_flow_is_known(state: State) -> None:
    found = place(state, visit(place="checkout.web"), visit(1, begins=False))
    assert found[1].place == "checkout.web"
    assert place(state, visit(2, is_order=True), visit(3))[1].place == ""


def test_all_is_removed_after_seven_days(state: State) -> None:
    place(state, visit(user="user-1", ids=["cart-1"], customer=PHONE))
    keys = [*state.client.scan_iter("*source:*")]
    assert len(keys) == 3
    assert all(0 < (state.client.pttl(key) or 0) <= 7 * DAY_MS for key in keys)


@pytest.mark.xdist_group("valkey")
def test_visitor_record_is_small(real_state: State) -> None:
    place(real_state, visit(place="checkout.web", ids=["b7f6b8a0-5c1d-4f1e-9d5f-0a4a3d4e5f60"]))
    (key,) = real_state.client.keys("*visitor:*")
    assert (real_state.client.memory_usage(key) or 0) <= 250, json.dumps(real_state.client.hgetall(key), default=str)
