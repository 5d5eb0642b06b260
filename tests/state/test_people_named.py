"""The effect of an event on the people that it names."""

from datetime import UTC, datetime, timedelta

import pytest

from detectors.normalize.identities import identities_of
from state.session_record import stamp_of, stamped
from tests.support.durations import HOUR_MS, SECOND_MS
from tests.support.events import JANE, Event, apply, arrived, event, happen
from tests.support.ingest_support import facts_of, ingest_of, publish
from tests.support.naming_sessions import AT_MS, CART, EMAIL, PHONE, batch_of, order
from tests.support.stored_state import now_ms, stored
from worker.runtime import State


@pytest.mark.parametrize("session", [None, "s-1"])
def test_orders_and_opt_outs_count_for_every_identity_they_name(session: str | None) -> None:
    customer = JANE | {"email": "Jane@Example.com"}
    identities = identities_of(PHONE, "CO", "Jane@Example.com")
    assert len(identities) == 2
    bought = batch_of(order(session, customer=customer))
    assert bought.bought == [(identity, AT_MS) for identity in identities]
    left = batch_of(event("opt_out", session, stage=None, customer=customer))
    assert left.opted_out == [(identity, AT_MS) for identity in identities]


def test_order_with_only_an_address_names_a_person() -> None:
    batch = batch_of(order("s-1", customer={"email": EMAIL}))
    assert batch.bought == [(EMAIL, AT_MS)]
    assert batch.rejections == []


@pytest.mark.parametrize("named_in", ["session_id", "previous_session_id"])
@pytest.mark.parametrize("written", [None, "", "1970-01-01T00:00:00Z", 0, "2999-01-01", "soon", -23, -5, 1, 13])
def test_an_order_with_an_odd_time_closes_the_cart_that_it_names(state: State, named_in: str, written: object) -> None:
    """A number but 0: the offset (hours) of a time without a zone."""
    if isinstance(written, int) and written:
        written = (datetime.now(UTC) + timedelta(hours=written)).replace(tzinfo=None).isoformat()
    happen(state, event(customer=JANE, cart=CART), ago_ms=SECOND_MS)
    names = {"session_id": "other", "previous_session_id": "other", named_in: "s-1"}
    publish(state, {"type": "order_completed", "occurred_at": written, **names})
    ingest_of(state).step()
    assert stored(state).state == "bought"
    assert stored(state).has_bought
    assert facts_of(state, PHONE).bought


def test_change_with_identity_fields_asks_for_a_mark() -> None:
    says_who: list[Event] = [{"phone_number": PHONE}, {"country_code": "CO"}, {"email": EMAIL}]
    does_not: list[Event] = [{"full_name": "Jane"}, {"email": None}, {"phone_number": ""}]
    for said in (*says_who, *does_not):
        batch = batch_of(event(customer=said))
        assert batch.changes[0].wants_mark is (said in says_who)
        assert batch.naming_changes == ([0] if said in says_who else [])


def test_answers_for_consent_come_with_their_proof() -> None:
    consent = {"call": True, "whatsapp": False, "given_at": "2025-05-01", "source": "checkout"}
    batch = batch_of(event(customer=JANE | {"consent": consent}))
    said = [("call", "yes"), ("whatsapp", "no")]
    assert batch.answers == [(PHONE, *one, AT_MS, "2025-05-01", "checkout") for one in said]
    assert batch_of(event(customer=JANE | {"consent": {"call": None}})).answers == []
    assert batch_of(event(customer={"consent": consent})).answers == []


# What is kept


def test_the_stamp_of_a_cart_is_that_of_its_event(state: State) -> None:
    at_ms = now_ms(state) - HOUR_MS
    apply(state, arrived(event(cart=CART), at_ms), arrived(event(), at_ms + 1))
    assert stored(state).stamp_of_cart // 100 == at_ms
    assert stamp_of(stamped(stored(state).stamp_of_cart, "x")) == stored(state).stamp_of_cart
