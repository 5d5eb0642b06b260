"""An order ends the session of a visitor, also if another source reports it by an id of the order."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.visitors import Placed, Visit
from tests.state.test_visitors import AT_MS, place, sessions, visit
from worker.runtime import State

CART, NEXT_CART = visit(ids=["cart-1", "order-1"]), visit(9, ids=["cart-2"])


def payment(after_ms: int = 5, *ids: str, begins: bool = False) -> Visit:
    """Return an order of a payment provider: it names no visitor."""
    return Visit(AT_MS + after_ms, is_order=True, begins=begins, ids=ids or ["order-1"])


def webhook(after_ms: int = 5, **more: object) -> Visit:
    """Return an order of a shop's server: it has a session of its own."""
    return Visit(AT_MS + after_ms, is_order=True, ids=["order-1"], **more)  # type: ignore[arg-type]


def paid(state: State) -> dict[str, str]:
    """Return the last order of each session that has one, in ms after `AT_MS`."""
    keys: list[bytes] = list(state.client.scan_iter("*paid:*"))
    return {key.decode().rpartition(":")[2]: str(int(state.client.get(key) or 0) - AT_MS) for key in keys}


@pytest.mark.parametrize("order", [payment(), webhook(name="cart-1"), webhook(name="other")])
def test_order_without_a_visitor_ends_the_session(state: State, order: Visit) -> None:
    found = place(state, CART, order, visit(9), visit(10, ids=["cart-2"]))
    assert [one.session for one in found[:2]] == ["cart-1"] * 2
    assert found[2].session != "cart-1"
    assert found[2:] == [Placed(found[2].session, "", "", {})] * 2


@pytest.mark.parametrize("order", [payment(), visit(5, "anonymous-2", is_order=True, ids=["order-1"])])
def test_order_ends_the_session_of_each_visitor(state: State, order: Visit) -> None:
    place(state, CART, visit(1, "anonymous-2", ids=["cart-1"]), order)
    assert place(state, NEXT_CART)[0] == Placed("cart-2", "", "", {})
    assert place(state, visit(9, "anonymous-2", ids=["cart-3"]))[0] == Placed("cart-3", "", "", {})


def test_order_with_a_name_ends_two_sessions(state: State) -> None:
    place(state, CART, visit(1, "anonymous-2", ids=["cart-9"]), webhook(name="cart-9"))
    assert place(state, NEXT_CART)[0] == Placed("cart-2", "", "", {})
    assert place(state, visit(9, "anonymous-2", ids=["cart-3"]))[0] == Placed("cart-3", "", "", {})


def test_event_before_the_payment_belongs_to_its_session(state: State) -> None:
    assert sessions(state, CART, payment(), NEXT_CART, visit(4))[-1] == "cart-1"
    assert sessions(state, visit(10)) == ["cart-2"]


def test_order_of_a_source_with_a_visitor_after_the_payment(state: State) -> None:
    again = visit(6, is_order=True, ids=["order-1"])
    assert sessions(state, CART, payment(), again, NEXT_CART) == ["cart-1"] * 3 + ["cart-2"]
    assert paid(state) == {"cart-1": "6"}


def test_older_order_of_another_session_does_not_move_the_last(state: State) -> None:
    place(state, CART, visit(8, is_order=True, ids=["cart-1"]), visit(10, ids=["old"]), payment(1, "old"))
    assert sessions(state, visit(7)) == ["cart-1"]


def test_any_order_of_arrival_separates_the_carts(state: State) -> None:
    for some in permutations([CART, CART, payment(), visit(2), payment(3)]):
        ordered = sessions(state, *some, CART, payment())[-1]
        assert place(state, visit(20, ids=["cart-2"])) == [Placed("cart-2", "", "", {})]
        assert sessions(state, visit(21), CART, payment(), visit(22)) == ["cart-2", ordered, ordered, "cart-2"]
        state.client.flushall()


def test_repeated_payment_changes_nothing(state: State) -> None:
    place(state, CART, payment(), NEXT_CART)
    before = state.client.hgetall(*state.client.keys("*visitor:*"))
    assert sessions(state, payment(), payment(3)) == ["cart-1"] * 2
    assert state.client.hgetall(*state.client.keys("*visitor:*")) == before
    assert paid(state) == {"cart-1": "5"}


def test_page_of_a_paid_order_leaves_the_next_cart(state: State) -> None:
    place(state, CART, payment(), NEXT_CART)
    page = visit(11, ids=["order-1"], place="product_selection.web")
    assert place(state, page)[0] == Placed("cart-1", "", "", {})
    assert sessions(state, visit(12)) == ["cart-2"]


def test_checkout_after_its_payment_takes_the_visit_along(state: State) -> None:
    browsed, ordered = sessions(state, visit(1), payment(begins=True))
    assert place(state, visit(4, ids=["order-1"]), visit(4, ids=["order-1"])) == [
        Placed(ordered, browsed, "", {}),
        Placed(ordered, "", "", {}),
    ]
    after, again = place(state, visit(9), visit(9))
    assert after == again
    assert (after.session in {browsed, ordered}, after.continues) == (False, "")


def test_cart_whose_id_never_changes_begins_again(state: State) -> None:
    place(state, CART, payment())
    cart = visit(9, ids=["cart-1"], place="cart_review.web")
    assert sessions(state, cart, visit(10), payment(), visit(11)) == ["cart-1"] * 4
    assert sessions(state, payment(7), visit(12)) == ["cart-1"] * 2
    assert sessions(state, payment(20), visit(21))[1] != "cart-1"
    assert sessions(state, cart, visit(22))[1] != "cart-1"


def test_use_of_a_cart_before_its_order_is_none_after_it(state: State) -> None:
    place(state, CART, payment(20), visit(9, "anonymous-2", ids=["cart-1"], place="cart_review.web"))
    assert sessions(state, visit(21, "anonymous-2"))[0] != "cart-1"


def test_profile_after_the_payment_waits_for_the_next_session(state: State) -> None:
    place(state, visit(ids=["cart-1", "order-1"], place="payment.web"), payment())
    said = visit(6, begins=False, customer={"full_name": "Jane"})
    assert place(state, said)[0] == Placed("", "", "", {})
    assert place(state, visit(9))[0].customer == {"full_name": "Jane"}


VISITORS = ("anonymous-1", "anonymous-2")
STAGES = ("", "product_selection.web", "checkout.web")


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    ids = draw(st.lists(st.sampled_from(["cart-1", "cart-2", "order-1"]), max_size=2, unique=True))
    after_ms, visitor = draw(st.integers(0, 30)), draw(st.sampled_from(VISITORS))
    match draw(st.sampled_from(["activity", "activity", "order", "payment"])):
        case "order":
            return visit(after_ms, visitor, is_order=True, ids=ids)
        case "payment":
            return payment(after_ms, *ids, begins=bool(ids))
        case _:
            return visit(after_ms, visitor, ids=ids, place=draw(st.sampled_from(STAGES)))


def test_no_later_event_lands_in_an_ordered_session(state: State) -> None:
    @given(st.lists(visits(), max_size=8))
    def check(story: list[Visit]) -> None:
        state.client.flushall()
        found = sessions(state, *story)
        ordered = {session for one, session in zip(story, found, strict=True) if one.is_order}
        later = [sessions(state, visit(100, visitor))[0] for visitor in VISITORS]
        assert ordered.isdisjoint(later)
        assert all(later)

    check()
