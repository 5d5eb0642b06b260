"""The last check before a request."""

import pytest

from state.keys import SESSION_TTL_MS
from state.session_record import MARK
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import event, happen
from tests.support.outreaches import BODY, abandon, dispatch, fence, sending, take, taken
from tests.support.passing_time import expire_session, let_lease_run_out
from tests.support.states import LEASE_MS
from tests.support.stored_state import counters, now_ms, places_of, record, score_of, texts
from worker.runtime import State


def test_the_fence_counts_the_attempt_and_keeps_what_is_sent(state: State) -> None:
    held = taken(state)
    fenced = state.outbox.fence(held, body=BODY, key="key-1")
    assert (fenced.verdict, fenced.attempt) == ("sending", 1)
    found = record(state, held.outreach)
    assert (found["state"], found["attempts"], found["body"], found["key"]) == ("sending", "1", BODY, "key-1")
    assert abs(int(found["first_sending"]) - now_ms(state)) < MINUTE_MS
    assert places_of(state, held.outreach) == {"leased"}


def test_the_fence_renews_the_lease(state: State) -> None:
    held = taken(state)
    key = state.keys.leased(int(held.outreach[:2]))
    state.client.zadd(key, {held.outreach: now_ms(state) + 10 * SECOND_MS})
    assert fence(state, held) == "sending"
    until = score_of(state, key, held.outreach)
    assert until is not None
    assert until > now_ms(state) + LEASE_MS - 5 * SECOND_MS


def test_a_lease_that_ran_out_does_not_pass_the_fence(state: State) -> None:
    held = taken(state)
    let_lease_run_out(state, held.outreach)
    assert fence(state, held) == "lost"
    assert record(state, held.outreach)["state"] == "leased"
    assert state.outbox.reap().due_again == 1


def test_an_outreach_without_a_lease_does_not_pass_the_fence(state: State) -> None:
    held = taken(state)
    state.client.zrem(state.keys.leased(int(held.outreach[:2])), held.outreach)
    assert fence(state, held) == "lost"
    assert "body" not in record(state, held.outreach)


def test_an_earlier_claim_does_not_pass_the_fence(state: State) -> None:
    first = taken(state)
    let_lease_run_out(state, first.outreach)
    state.outbox.reap()
    dispatch(state)
    take(state, first.outreach)
    assert fence(state, first) == "lost"
    assert record(state, first.outreach)["attempts"] == "0"


def test_one_that_waits_again_does_not_pass_the_fence(state: State) -> None:
    held = taken(state)
    let_lease_run_out(state, held.outreach)
    state.outbox.reap()
    dispatch(state)
    assert record(state, held.outreach)["state"] == "waiting"
    assert fence(state, held) == "lost"


def test_only_one_worker_passes_the_fence(state: State) -> None:
    held = sending(state)
    assert fence(state, held) == "lost"
    assert record(state, held.outreach)["attempts"] == "1"


def test_one_that_was_called_off_does_not_pass_the_fence(state: State) -> None:
    held = taken(state)
    happen(state, event("order_completed"))
    assert fence(state, held) == "lost"
    assert record(state, held.outreach)["state"] == "cancelled"


def test_outreach_without_record_does_not_pass_the_fence(state: State) -> None:
    held = taken(state)
    state.client.delete(state.keys.outreach(held.outreach))
    assert fence(state, held) == "lost"
    assert list(state.client.scan_iter("*:outreach:*")) == []
    state.client.pexpire(state.keys.session("s-1"), DAY_MS)


def test_fence_cancels_when_the_session_is_missing(state: State) -> None:
    held = taken(state)
    expire_session(state)
    assert fence(state, held) == "cancelled"
    found = record(state, held.outreach)
    assert found["state"] == "cancelled"
    assert "body" not in found
    assert list(state.client.scan_iter("*:session:*")) == []


@pytest.mark.parametrize("superseded_by", ["bought", ""])
def test_fence_cancels_when_the_session_has_moved_on(state: State, superseded_by: str) -> None:
    """As after a crash between two parts of the state, or a restore: the fence relies on no other check."""
    held = taken(state)
    key = state.keys.session("s-1")
    if superseded_by:
        state.client.hset(key, "state", superseded_by)
    else:
        state.client.hdel(key, "state")
        state.client.hset(key, "activity", texts(state, key)["activity"].rstrip(MARK))
    assert fence(state, held) == "cancelled"
    assert counters(state) == {f"cancelled.{'paid' if superseded_by else 'came_back'}": 1}


def test_the_fence_cancels_when_another_outreach_has_the_session(state: State) -> None:
    held = taken(state)
    state.client.hset(state.keys.session("s-1"), "outreach", f"{held.outreach[:2]}-0123456789abcdef")
    assert fence(state, held) == "cancelled"
    assert record(state, held.outreach)["attempts"] == "0"
    state.client.pexpire(state.keys.session("s-1"), SESSION_TTL_MS)


def test_second_outreach_waits_while_the_first_is_sending(state: State) -> None:
    first = sending(state)
    second = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    assert second != first.outreach
    dispatch(state)
    held = take(state, second)
    assert fence(state, held) == "busy"
    found = record(state, second)
    assert (found["state"], found["attempts"]) == ("leased", "0")
    assert "body" not in found
    assert state.outbox.settle(first, "dead", reason="http_400", line="attempt 1") == "dead"
    assert fence(state, held) == "sending"


def test_second_outreach_passes_when_the_first_record_is_missing(state: State) -> None:
    first = sending(state)
    second = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    dispatch(state)
    state.client.delete(state.keys.outreach(first.outreach))
    assert fence(state, take(state, second)) == "sending"


def test_later_attempt_is_counted_and_keeps_the_first_start(state: State) -> None:
    held = sending(state)
    began = record(state, held.outreach)["first_sending"]
    state.outbox.settle(held, "retry", reason="http_503", delay_ms=0, line="attempt 1")
    dispatch(state)
    again = take(state, held.outreach)
    assert again.token > held.token
    assert (again.attempts, again.body, again.key) == (1, BODY, "key-1")
    assert state.outbox.fence(again, body=again.body, key=again.key).attempt == 2
    assert record(state, held.outreach)["first_sending"] == began
