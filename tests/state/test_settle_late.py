"""An answer that arrives after its outreach ended as unknown."""

import pytest

from state.keys import OUTREACH_TTL_MS
from state.outbox import Result, Taken
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import abandon, fence, sending, take_again
from tests.support.passing_time import expire_session, let_lease_run_out
from tests.support.stored_state import counters, places_of, record, stored, ttl_ms
from worker.runtime import State


def given_up(state: State) -> Taken:
    """Return an attempt whose worker was frozen until its lease had expired: it counts as unknown."""
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    return held


# Late


def test_a_late_sent_corrects_unknown(state: State) -> None:
    held = given_up(state)
    assert counters(state) == {"unknown.lease_ran_out": 1}
    assert state.outbox.settle(held, "sent", line="attempt 1 http_200") == "sent"
    assert record(state, held.outreach)["state"] == "sent"
    assert places_of(state, held.outreach) == set()
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1
    left = ttl_ms(state, state.keys.outreach(held.outreach))
    assert left is not None
    assert left > OUTREACH_TTL_MS - MINUTE_MS


def test_a_late_rejection_corrects_unknown(state: State) -> None:
    held = given_up(state)
    assert state.outbox.settle(held, "dead", reason="http_400", line="attempt 1") == "dead"
    assert places_of(state, held.outreach) == {"dead"}
    assert counters(state) == {"dead.http_400": 1}
    assert stored(state).contacts == 0


@pytest.mark.parametrize(("result", "attempts"), [("retry", "1"), ("not_sent", "0")])
def test_a_late_answer_that_it_was_not_sent_opens_it_again(state: State, result: Result, attempts: str) -> None:
    held = given_up(state)
    assert state.outbox.settle(held, result, reason="http_503", delay_ms=SECOND_MS, line="attempt 1") == "waiting"
    found = record(state, held.outreach)
    assert (found["state"], found["attempts"]) == ("waiting", attempts)
    assert not {"ended_at", "reason"} & set(found)
    assert places_of(state, held.outreach) == {"due"}
    assert counters(state) == {}
    assert stored(state).contacts == 0
    for key in (state.keys.outreach(held.outreach), state.keys.session("s-1")):
        assert ttl_ms(state, key) is None
    assert fence(state, take_again(state, held.outreach)) == "sending"


def test_late_not_sent_reply_cancels_after_a_return(state: State) -> None:
    held = given_up(state)
    happen(state, event("order_completed"))
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert counters(state) == {"cancelled.paid": 1}
    assert stored(state).contacts == 0


@pytest.mark.parametrize("result", ["unknown", "retry"])
def test_late_unknown_reply_corrects_nothing(state: State, result: Result) -> None:
    held = given_up(state)
    before_ms = int(record(state, held.outreach)["ended_at"])
    assert state.outbox.settle(held, result, reason="read_timeout", line="attempt 1", ambiguous=True) == "unknown"
    found = record(state, held.outreach)
    assert (found["state"], found["reason"], int(found["ended_at"])) == ("unknown", "lease_ran_out", before_ms)
    assert places_of(state, held.outreach) == {"unknown"}
    assert counters(state) == {"unknown.lease_ran_out": 1}
    assert stored(state).contacts == 1


def test_certain_reply_after_a_late_unknown_one_counts(state: State) -> None:
    held = given_up(state)
    state.outbox.settle(held, "unknown", line="attempt 1", ambiguous=True)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1


def test_late_reply_for_a_missing_session_keeps_counts_positive(state: State) -> None:
    held = given_up(state)
    expire_session(state)
    state.outbox.settle(held, "dead", reason="http_400", line="attempt 1")
    assert stored(state).contacts == 0
    abandon(state)
    assert stored(state).contacts == 0


def test_contact_of_a_missing_session_is_kept_for_a_session_ttl(state: State) -> None:
    held = sending(state)
    expire_session(state)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    assert stored(state).contacts == 1
