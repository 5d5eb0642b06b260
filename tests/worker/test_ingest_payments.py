"""Payments in progress, as events tell of them: with a session or without one."""

from datetime import UTC, datetime, timedelta

import pytest

from state.keys import DAY_MS
from state.people import person_of
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, Event, event
from tests.support.ingest_support import facts_of, ingest_of, publish, rejected
from tests.support.outreaches import sending
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State

PHONE, EMAIL = JANE["phone_number"], "jane@example.com"


def happened(state: State, *events: Event) -> None:
    ingest = ingest_of(state)
    for one in events:
        publish(state, one)
        ingest.step()


def paying(state: State, identity: str = PHONE) -> bool:
    return facts_of(state, identity).paying_until_ms > now_ms(state)


@pytest.mark.parametrize("customer", [{"phone_number": PHONE}, {"email": EMAIL}])
def test_payment_without_a_session_holds_its_person(state: State, customer: Event) -> None:
    happened(state, event("payment_pending", None, stage=None, customer=customer))
    assert paying(state, customer.get("phone_number") or EMAIL)
    assert list(state.client.scan_iter("*:session:*")) == []
    assert rejected(state) == []


def test_payment_of_an_unknown_session_holds_its_person(state: State) -> None:
    held = sending(state)
    happened(state, event("payment_pending", "merchant-order-7", stage=None, customer=JANE))
    assert state.people.reserve([person_of(PHONE, SECRET)], held.outreach, held.token, CONTACT_REF, LIMITS) == "paying"


def test_payment_of_a_session_holds_the_person_it_knows(state: State) -> None:
    happened(state, event(customer=JANE), event("payment_pending", stage=None))
    assert paying(state)


def test_person_named_before_and_known_is_still_held(state: State) -> None:
    happened(state, event(customer=JANE), event(customer=JANE), event("payment_pending", stage=None, customer=JANE))
    assert paying(state)


@pytest.mark.parametrize("session", ["s-1", None])
def test_declined_payment_releases_the_person(state: State, session: str | None) -> None:
    happened(
        state,
        event("payment_pending", session, stage=None, customer=JANE),
        event("payment_declined", session, stage=None, customer=JANE),
    )
    assert not paying(state)


def test_voucher_holds_until_it_expires(state: State) -> None:
    expires = (now_ms(state) + 2 * DAY_MS) / 1000
    happened(state, event("payment_pending", None, stage=None, customer=JANE, expires_at=expires))
    assert facts_of(state, PHONE).paying_until_ms == pytest.approx(expires * 1000, abs=1)


def test_voucher_without_end_is_believed_for_30_days(state: State) -> None:
    expires = (now_ms(state) + 900 * DAY_MS) / 1000
    happened(state, event("payment_pending", None, stage=None, customer=JANE, expires_at=expires))
    assert facts_of(state, PHONE).paying_until_ms == pytest.approx(now_ms(state) + 30 * DAY_MS, abs=HOUR_MS)


@pytest.mark.parametrize("kind", ["payment_pending", "payment_declined"])
def test_payment_that_names_nobody_is_rejected(state: State, kind: str) -> None:
    happened(state, event(kind, None, stage=None, customer={"full_name": "Jane"}))
    assert len(rejected(state)) == 1


def test_payment_names_its_person_in_any_field(state: State) -> None:
    happened(state, event("payment_pending", None, stage=None, payer={"phone": PHONE}))
    assert paying(state)


def test_declined_payment_of_an_ambiguous_number_releases_nobody(state: State) -> None:
    happened(
        state,
        event("payment_pending", None, stage=None, customer={"phone_number": PHONE}),
        event("payment_declined", None, stage=None, customer={"phone_number": PHONE.removeprefix("+57")}),
    )
    assert paying(state)


@pytest.mark.parametrize("empty", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:01Z", 0, 1])
@pytest.mark.parametrize("session", ["s-1", None])
def test_payment_with_an_empty_expiry_holds(state: State, session: str | None, empty: object) -> None:
    happened(state, event("payment_pending", session, stage=None, customer=JANE, expires_at=empty))
    assert paying(state)


def test_expiry_without_a_zone_is_read_as_the_latest_local_time(state: State) -> None:
    at = datetime.fromtimestamp(now_ms(state) / 1000, UTC).replace(tzinfo=None, microsecond=0)
    expires = at - timedelta(hours=11)
    happened(state, event("payment_pending", None, stage=None, customer=JANE, expires_at=expires.isoformat()))
    assert facts_of(state, PHONE).paying_until_ms == pytest.approx(now_ms(state) + HOUR_MS, abs=2000)
