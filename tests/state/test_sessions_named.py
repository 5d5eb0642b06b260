"""The effect of an event on every session and person that it names, in any field."""

import json

import pytest

from detectors.normalize.session_ids import session_key
from detectors.parsing import parse
from detectors.sessions_named import sessions_named
from tests.support.dumps import dump_without_scores
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, Event, apply, arrived, event, happen
from tests.support.ingest_support import facts_of, ingest_of, publish, rejected
from tests.support.naming_sessions import AT_MS, CART, PHONE, batch_of, order
from tests.support.outreaches import abandon, taken
from tests.support.stored_state import lanes_of, now_ms, record, stored
from worker.ingest.batch import Batch, _add
from worker.runtime import State


def ingest(state: State, *events: Event) -> None:
    publish(state, *events)
    ingest_of(state).step()
    assert rejected(state) == []


# Sessions


def test_all_named_sessions_are_found_own_one_first() -> None:
    parsed = parse(json.dumps(order("a", previous_session_id="b")).encode()).event
    assert parsed is not None
    assert list(sessions_named(parsed)) == ["a", "b"]
    same = parsed.model_copy(update={"previous_session_id": " a "})
    assert sessions_named(same) == {"a": "a"}
    assert list(sessions_named(parsed.model_copy(update={"session_id": None}))) == ["b"]
    assert sessions_named(parsed.model_copy(update={"session_id": " ", "previous_session_id": ""})) == {}


def test_session_with_hashed_id_keeps_the_original_id() -> None:
    made = parse(json.dumps(order("a", previous_session_id="b")).encode()).event
    assert made is not None
    cart = "gid://shopify/Cart/c1-7"
    batch = Batch()
    _add(batch, b"1-0", AT_MS, made.model_copy(update={"session_id": f"{cart}?key=x", "previous_session_id": "n.º 5"}))
    assert [(change.session_id, change.fields["id"]) for change in batch.changes] == [
        (session_key(cart), cart),
        (session_key("n.º 5"), "n.º 5"),
    ]
    assert batch.changes[0].purchase == batch.changes[1].purchase > 0
    assert batch.orders[0].sessions == (session_key(cart), session_key("n.º 5"))


@pytest.mark.parametrize("is_taken", [False, True])
def test_an_order_cancels_what_is_open_for_an_earlier_session(
    state: State,
    is_taken: bool,  # noqa: FBT001 - a case
) -> None:
    outreach = taken(state, "cart").outreach if is_taken else abandon(state, "cart")
    ingest(state, order(previous_session_id="cart"))
    assert record(state, outreach) | {"state": "cancelled", "reason": "paid"} == record(state, outreach)
    assert (stored(state, "cart").state, stored(state, "paid").state) == ("bought", "bought")


@pytest.mark.parametrize("stage", [None, "payment"])
def test_order_closes_an_earlier_session_with_and_without_stage(state: State, stage: str | None) -> None:
    ingest(state, event(session="cart", customer=JANE, cart=CART))
    ingest(state, event("order_completed", "paid", stage=stage, previous_session_id="cart"))
    assert stored(state, "cart").state == "bought"
    assert lanes_of(state, "cart") == lanes_of(state, "paid") == {}
    assert facts_of(state, PHONE).bought


def test_order_marks_the_person_of_the_earlier_session(state: State) -> None:
    ingest(state, event(session="cart", customer=JANE))
    ingest(state, order(previous_session_id="cart", customer={"phone_number": "+573009998877"}))
    assert facts_of(state, PHONE).bought
    assert facts_of(state, "+573009998877").bought


def test_an_order_that_names_two_sessions_is_one_order() -> None:
    batch = batch_of(order(previous_session_id="cart", order_value=3, currency="COP"))
    assert [(found.change, found.sessions) for found in batch.orders] == [(0, ("paid", "cart"))]
    assert [change.fields for change in batch.changes] == [{"order": "COP 300"}, {}]


def test_an_opt_out_counts_for_an_earlier_session(state: State) -> None:
    ingest(state, event(session="cart", customer=JANE))
    ingest(state, event("opt_out", "now", stage=None, previous_session_id="cart"))
    assert facts_of(state, PHONE).opted_out


def test_a_pending_payment_counts_for_an_earlier_session(state: State) -> None:
    happen(state, event(session="cart", customer=JANE), ago_ms=MINUTE_MS)
    happen(state, event("payment_pending", "paid", stage=None, previous_session_id="cart"))
    assert list(lanes_of(state, "cart")) == ["checkout.web.pending"]


@pytest.mark.parametrize("kind", ["activity", "exit", "payment_declined"])
def test_event_that_cannot_supersede_a_session_shows_presence(state: State, kind: str) -> None:
    outreach, at_ms = abandon(state, "cart"), now_ms(state)
    apply(state, arrived(event(kind, "now", stage=None, previous_session_id="cart"), at_ms))
    assert record(state, outreach)["reason"] == "came_back"
    assert lanes_of(state, "cart") == {"checkout.web.idle": at_ms}
    assert stored(state, "cart").signal == 0


# Purchased carts


@pytest.mark.parametrize(
    ("after", "is_purchased"),
    [
        ([], True),
        ([event()], True),
        ([event(), event(cart=None)], True),
        ([event(cart={"items": []}), event("exit")], True),
        ([event(cart=CART)], False),
        ([event(cart=CART), event()], False),
    ],
    ids=["nothing", "activity", "null", "emptied", "cart", "cart_and_activity"],
)
@pytest.mark.parametrize("paid", [order("s-1"), order("s-1", cart=CART), event("order_completed", "s-1")])
@pytest.mark.parametrize("before", [event(cart=CART), event()])
def test_bought_goods_are_no_cart_until_a_new_one(
    state: State,
    before: Event,
    paid: Event,
    after: list[Event],
    is_purchased: bool,  # noqa: FBT001 - a case
) -> None:
    at_ms = now_ms(state) - HOUR_MS
    made = [arrived(one, at_ms + SECOND_MS * place) for place, one in enumerate([before, paid, *after])]
    results = []
    for entries in (made, made[::-1], [*made, *made]):
        state.client.flushall()
        apply(state, *entries)
        assert stored(state).has_bought is is_purchased
        results.append(dump_without_scores(state))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("cart_first", [True, False])
def test_purchase_of_an_earlier_session_is_no_cart_of_the_later(
    state: State,
    cart_first: bool,  # noqa: FBT001 - a case
) -> None:
    at_s = now_ms(state) / 1000 - 60
    made = [event(session="old", cart=CART), order("old")]
    made = made if cart_first else made[::-1]
    ingest(state, *(one | {"occurred_at": at_s + place} for place, one in enumerate(made)))
    ingest(state, event(session="new", previous_session_id="old"))
    assert stored(state, "new").has_bought is cart_first
    ingest(state, event(session="new", cart=CART))
    assert not stored(state, "new").has_bought


def test_a_session_that_never_bought_has_purchased_nothing(state: State) -> None:
    happen(state, event(cart=CART))
    happen(state, event("opt_out", stage=None))
    assert not stored(state).has_bought
