"""A person who is paying elsewhere: no request is made until the payment is over."""

from dataclasses import replace

from state.keys import DAY_MS
from state.person_marks import Marks, PaymentNews
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import PERSON, attempt_again, held_by, yuno
from tests.support.durations import HOUR_MS
from tests.support.events import JANE, event
from tests.support.ingest_support import ingest_of, publish
from tests.support.policy_attempts import dispatched
from tests.support.stored_state import now_ms, record
from worker.runtime import State

WAITS = "payment_in_progress"


def happened(state: State, kind: str) -> None:
    publish(state, event(kind, None, stage=None, customer={"phone_number": JANE["phone_number"]}))
    ingest_of(state).step()


def test_payment_without_a_session_postpones_the_contact(state: State) -> None:
    outreach = dispatched(state)
    happened(state, "payment_pending")
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps) == AttemptOutcome(outreach, "postponed", WAITS)
        assert server.requests == []
        happened(state, "payment_declined")
        assert attempt_again(state, outreach, deps).outcome == "sent"


def test_an_order_after_the_payment_ends_the_outreach(state: State) -> None:
    outreach = dispatched(state)
    happened(state, "payment_pending")
    with yuno(state) as (deps, server):
        assert attempt(outreach, deps).outcome == "postponed"
        happened(state, "order_completed")
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "suppressed", "bought_recently")
        assert server.requests == []


def test_payment_just_before_the_reservation_stops_the_request(state: State) -> None:
    outreach = dispatched(state)

    class Pays(type(state.people)):  # type: ignore[misc]
        def reserve(self, *args: object, **named: object) -> object:
            marks = Marks()
            marks.paying(PaymentNews(now_ms(state), in_progress=True), DAY_MS)
            self.send_marks((), {PERSON: marks}).result()
            return super().reserve(*args, **named)

    people = Pays(state.scripts, state.keys, longest_limit_ms=HOUR_MS, lease_ms=1, bought_window_ms=1)
    with yuno(state) as (deps, server):
        assert attempt(outreach, replace(deps, people=people)).outcome == "waiting"
        assert server.requests == []
    assert held_by(state) == ""
    assert WAITS in str(record(state, outreach))
