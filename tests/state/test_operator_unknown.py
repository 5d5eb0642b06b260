"""An operator's decisions about unknown outreaches."""

from state.decisions import RETRY_UNKNOWN_AFTER_MS
from state.outbox import Taken
from tests.support.deciding import dead, operator, said, unknown
from tests.support.durations import DAY_MS, MINUTE_MS, SECOND_MS
from tests.support.events import event, happen
from tests.support.outreaches import BODY, dispatch, fence, sending, take
from tests.support.passing_time import let_lease_run_out
from tests.support.stored_state import counters, now_ms, places_of, record, stored, texts, ttl_ms
from worker.runtime import State


def reaped(state: State) -> Taken:
    """Return one that has been unknown for 15 minutes because its worker crashed."""
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", now_ms(state) - RETRY_UNKNOWN_AFTER_MS)
    return held


# Unknown


def test_unknown_request_is_kept_while_its_key_is_known(state: State) -> None:
    held = unknown(state)
    assert "body" not in record(state, held.outreach)
    assert texts(state, state.keys.body(held.outreach)) == {"body": BODY}
    left = ttl_ms(state, state.keys.body(held.outreach))
    assert left is not None
    assert DAY_MS - MINUTE_MS < left <= DAY_MS


def test_request_with_a_forgotten_key_is_not_kept(state: State) -> None:
    held = sending(state)
    state.client.hset(state.keys.outreach(held.outreach), "first_sending", now_ms(state) - DAY_MS)
    state.outbox.settle(held, "unknown", reason="read_timeout", line="", ambiguous=True)
    assert state.client.exists(state.keys.body(held.outreach)) == 0
    assert "body" not in record(state, held.outreach)


def test_of_what_ends_otherwise_no_request_is_kept(state: State) -> None:
    dead(state)
    state.outbox.settle(sending(state, "s-2"), "sent", line="attempt 1")
    happen(state, event(session="s-3"))
    assert list(state.client.scan_iter("*:body:*")) == []


def test_unknown_outreach_repeats_its_request_as_ambiguous(state: State) -> None:
    held = unknown(state)
    assert stored(state).contacts == 1
    assert said(operator(state).retry_unknown([held.outreach])) == [("retried", "")]
    assert (counters(state), stored(state).contacts) == ({}, 0)
    assert places_of(state, held.outreach) == {"due"}
    assert state.client.exists(state.keys.body(held.outreach)) == 0
    dispatch(state)
    again = take(state, held.outreach)
    assert (again.body, again.key, again.ambiguous, again.attempts) == (BODY, "key-1", True, 0)
    assert state.outbox.end_unsent(again, "suppressed", "opted_out") == "unknown"
    assert texts(state, state.keys.body(held.outreach)) == {"body": BODY}


def test_repeated_outreach_of_a_dead_worker_is_ambiguous(state: State) -> None:
    held = reaped(state)
    assert "ambiguous" not in record(state, held.outreach)
    assert said(operator(state).retry_unknown([held.outreach])) == [("retried", "")]
    assert record(state, held.outreach)["ambiguous"] == "1"
    happen(state, event())
    assert counters(state) == {"unknown.cancelled": 1}


def test_unknown_outreach_waits_while_its_request_may_run(state: State) -> None:
    held = unknown(state, for_ms=RETRY_UNKNOWN_AFTER_MS - 30 * SECOND_MS)
    ((word, detail),) = said(operator(state).retry_unknown([held.outreach]))
    assert word == "too_soon"
    assert int(detail) == int(record(state, held.outreach)["ended_at"]) + RETRY_UNKNOWN_AFTER_MS
    assert places_of(state, held.outreach) == {"unknown"}


def test_unknown_outreach_without_request_is_not_repeated(state: State) -> None:
    held = unknown(state)
    state.client.delete(state.keys.body(held.outreach))
    assert said(operator(state).retry_unknown([held.outreach])) == [("no_body", "")]
    assert counters(state) == {"unknown.read_timeout": 1}


def test_dead_and_unknown_are_distinguished(state: State) -> None:
    refused, nobody_knows = dead(state), unknown(state, "s-2")
    decides = operator(state)
    assert said(decides.retry_unknown([refused.outreach])) == [("is", "dead")]
    assert said(decides.retry_dead([nobody_knows.outreach])) == [("is", "unknown")]
    assert said(decides.resolve_sent([refused.outreach])) == [("is", "dead")]
    assert counters(state) == {"dead.http_400": 1, "unknown.read_timeout": 1}


def test_what_turns_out_to_have_arrived_is_counted_as_sent(state: State) -> None:
    held = unknown(state)
    assert said(operator(state).resolve_sent([held.outreach])) == [("done", "")]
    assert counters(state) == {"sent.by_operator": 1}
    assert places_of(state, held.outreach) == set()
    found = record(state, held.outreach)
    assert (found["state"], found["reason"]) == ("sent", "by_operator")
    assert "body" not in found
    assert state.client.exists(state.keys.body(held.outreach)) == 0
    assert stored(state).contacts == 1
    assert ttl_ms(state, state.keys.outreach(held.outreach)) is not None
    assert said(operator(state).resolve_sent([held.outreach])) == [("is", "sent")]


def test_late_not_sent_reply_repeats_the_same_request(state: State) -> None:
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    state.outbox.reap()
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "waiting"
    dispatch(state)
    assert take(state, held.outreach).body == BODY


def test_worker_returning_after_the_decision_changes_nothing(state: State) -> None:
    held = reaped(state)
    operator(state).retry_unknown([held.outreach])
    assert state.outbox.settle(held, "sent", line="attempt 1") is None
    dispatch(state)
    assert fence(state, take(state, held.outreach)) == "sending"
    assert state.outbox.settle(held, "dead", line="attempt 1") is None
