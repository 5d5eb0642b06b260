"""How an attempt is recorded, in time and late."""

import pytest

from state.keys import OUTREACH_TTL_MS
from state.outbox import Result, Taken
from tests.support.helpers import (
    BODY,
    DAY_MS,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    counters,
    event,
    expire_session,
    fence,
    happen,
    let_lease_run_out,
    now_ms,
    places_of,
    record,
    score_of,
    sending,
    stored,
    take_again,
    taken,
    texts,
    ttl_ms,
)
from worker.runtime import State


def given_up(state: State) -> Taken:
    """An attempt whose worker was frozen until its lease had run out: it counts as unknown."""
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    return held


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


def test_a_retry_is_due_after_its_delay_with_the_same_body_and_key(state: State) -> None:
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


def test_what_is_tried_in_vain_again_and_again_is_told_once(state: State) -> None:
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


def test_there_is_no_retry_when_the_session_is_gone(state: State) -> None:
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


def test_an_outreach_whose_record_is_gone_cannot_be_settled(state: State) -> None:
    held = sending(state)
    state.client.delete(state.keys.outreach(held.outreach))
    assert state.outbox.settle(held, "sent", line="attempt 1") is None
    assert list(state.client.scan_iter("*:outreach:*")) == []
    state.client.pexpire(state.keys.session("s-1"), DAY_MS)


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


def test_a_late_answer_that_it_was_not_sent_ends_it_when_they_came_back(state: State) -> None:
    held = given_up(state)
    happen(state, event("order_completed"))
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert counters(state) == {"cancelled.paid": 1}
    assert stored(state).contacts == 0


@pytest.mark.parametrize("result", ["unknown", "retry"])
def test_a_late_answer_that_says_nothing_corrects_nothing(state: State, result: Result) -> None:
    held = given_up(state)
    before_ms = int(record(state, held.outreach)["ended_at"])
    assert state.outbox.settle(held, result, reason="read_timeout", line="attempt 1", ambiguous=True) == "unknown"
    found = record(state, held.outreach)
    assert (found["state"], found["reason"], int(found["ended_at"])) == ("unknown", "lease_ran_out", before_ms)
    assert places_of(state, held.outreach) == {"unknown"}
    assert counters(state) == {"unknown.lease_ran_out": 1}
    assert stored(state).contacts == 1


def test_after_a_late_answer_that_says_nothing_a_certain_one_still_counts(state: State) -> None:
    held = given_up(state)
    state.outbox.settle(held, "unknown", line="attempt 1", ambiguous=True)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1


def test_a_late_answer_for_a_session_that_is_gone_leaves_no_negative_count_behind(state: State) -> None:
    held = given_up(state)
    expire_session(state)
    state.outbox.settle(held, "dead", reason="http_400", line="attempt 1")
    assert stored(state).contacts == 0
    abandon(state)
    assert stored(state).contacts == 0


def test_a_contact_of_a_session_that_is_gone_is_remembered_for_as_long_as_a_session_lives(state: State) -> None:
    held = sending(state)
    expire_session(state)
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    happen(state, event(customer=JANE), ago_ms=HOUR_MS)
    assert stored(state).contacts == 1


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
