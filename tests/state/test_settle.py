"""The record of an attempt, in time and late."""

import pytest

from state.outbox import Result
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import event, happen
from tests.support.outreaches import BODY, abandon, fence, sending, take_again, taken
from tests.support.passing_time import expire_session
from tests.support.stored_state import counters, now_ms, places_of, record, score_of, stored, texts, ttl_ms
from worker.runtime import State

# In time


@pytest.mark.parametrize(
    ("result", "place", "contacts"),
    [("sent", set(), 1), ("dead", {"dead"}, 0), ("suppressed", set(), 0), ("unknown", {"unknown"}, 1)],
)
def test_an_attempt_ends_its_outreach(state: State, result: Result, place: set[str], contacts: int) -> None:
    held = sending(state)
    assert state.outbox.settle(held, result, reason="because", line="attempt 1 http") == result
    found = record(state, held.outreach)
    assert (found["state"], found["reason"]) == (result, "because")
    assert "attempt 1 http" in found["history"]
    assert "body" not in found
    assert places_of(state, held.outreach) == place
    assert counters(state) == {f"{result}.because": 1}
    assert stored(state).contacts == contacts
    assert "sending" not in texts(state, state.keys.session("s-1"))
    for key in (state.keys.outreach(held.outreach), state.keys.session("s-1")):
        assert ttl_ms(state, key) is not None


def test_retry_is_due_after_its_delay_with_the_same_body_and_key(state: State) -> None:
    held = sending(state)
    before_ms = now_ms(state)
    assert state.outbox.settle(held, "retry", reason="http_503", delay_ms=HOUR_MS, line="attempt 1") == "waiting"
    due = score_of(state, state.keys.due(int(held.outreach[:2])), held.outreach)
    assert due is not None
    assert before_ms + HOUR_MS <= due <= now_ms(state) + HOUR_MS
    assert places_of(state, held.outreach) == {"due"}
    assert "sending" not in texts(state, state.keys.session("s-1"))
    assert ttl_ms(state, state.keys.session("s-1")) is None
    assert counters(state) == {}
    again = take_again(state, held.outreach)
    assert (again.attempts, again.body, again.key) == (1, BODY, "key-1")


def test_an_attempt_that_was_not_made_is_not_counted(state: State) -> None:
    held = sending(state)
    assert state.outbox.settle(held, "not_sent", reason="http_401", delay_ms=MINUTE_MS, line="attempt 1") == "waiting"
    assert record(state, held.outreach)["attempts"] == "0"
    assert state.outbox.fence(take_again(state, held.outreach), body=BODY, key="key-1").attempt == 1


def test_identical_failures_make_one_history_line(state: State) -> None:
    held = sending(state)
    lengths = set()
    for _ in range(3):
        state.outbox.settle(held, "not_sent", reason="not_replicated", line="attempt 1 not made")
        lengths.add(len(record(state, held.outreach)["history"]))
        held = take_again(state, held.outreach)
        assert state.outbox.fence(held, body=BODY, key="key-1").verdict == "sending"
    assert len(lengths) == 1
    state.outbox.settle(held, "not_sent", reason="state_unreachable", line="attempt 1 not made")
    assert record(state, held.outreach)["history"].endswith("not_sent.state_unreachable\n")


@pytest.mark.parametrize("result", ["retry", "not_sent"])
@pytest.mark.parametrize(("kind", "reason"), [("activity", "came_back"), ("order_completed", "paid")])
def test_there_is_no_retry_when_they_came_back_meanwhile(state: State, result: Result, kind: str, reason: str) -> None:
    held = sending(state)
    happen(state, event(kind))
    assert state.outbox.settle(held, result, reason="http_503", line="attempt 1") == "cancelled"
    assert record(state, held.outreach)["reason"] == reason
    assert "body" not in record(state, held.outreach)
    assert places_of(state, held.outreach) == set()
    assert counters(state) == {f"cancelled.{reason}": 1}
    assert stored(state).contacts == 0


def test_missing_session_is_not_retried(state: State) -> None:
    held = sending(state)
    expire_session(state)
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert list(state.client.scan_iter("*:session:*")) == []


def test_there_is_no_retry_when_another_outreach_has_the_session(state: State) -> None:
    held = sending(state)
    later = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert record(state, later)["state"] == "waiting"


def test_an_answer_is_recorded_once(state: State) -> None:
    held = sending(state)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    results: tuple[Result, ...] = ("sent", "dead", "retry")
    for result in results:
        assert state.outbox.settle(held, result, line="attempt 1") is None
    assert record(state, held.outreach)["state"] == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1


def test_an_attempt_that_never_began_cannot_be_settled(state: State) -> None:
    held = taken(state)
    assert state.outbox.settle(held, "sent", line="attempt 1") is None
    assert record(state, held.outreach)["state"] == "leased"


def test_an_earlier_claim_cannot_settle_a_later_attempt(state: State) -> None:
    first = sending(state)
    state.outbox.settle(first, "retry", reason="http_503", line="attempt 1")
    second = take_again(state, first.outreach)
    assert fence(state, second) == "sending"
    assert state.outbox.settle(first, "dead", reason="http_400", line="attempt 1") is None
    assert record(state, first.outreach)["state"] == "sending"
    assert state.outbox.settle(second, "sent", line="attempt 2") == "sent"


def test_outreach_without_record_cannot_be_settled(state: State) -> None:
    held = sending(state)
    state.client.delete(state.keys.outreach(held.outreach))
    assert state.outbox.settle(held, "sent", line="attempt 1") is None
    assert list(state.client.scan_iter("*:outreach:*")) == []
    state.client.pexpire(state.keys.session("s-1"), DAY_MS)


def test_the_body_is_deleted_at_every_end(state: State) -> None:
    results: tuple[Result, ...] = ("sent", "dead", "suppressed", "unknown")
    for result in results:
        state.outbox.settle(sending(state, f"s-{result}"), result)
    retried = sending(state, "s-retried")
    state.outbox.settle(retried, "retry", delay_ms=HOUR_MS)
    assert "body" in record(state, retried.outreach)
    happen(state, event(session="s-retried"))
    bodies = [key for key in state.client.scan_iter("*:outreach:*") if state.client.hexists(key, "body")]
    assert bodies == []
