"""What a person decides on outreaches: tried again, given up, found to have arrived, ended."""

import pytest

from state.decisions import RETRY_UNKNOWN_AFTER_MS, Operator, Verdict
from state.keys import OUTREACH_TTL_MS
from state.outbox import Taken
from tests.support.helpers import (
    BODY,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    counters,
    dispatch,
    dump,
    event,
    expire_session,
    fence,
    happen,
    let_lease_run_out,
    now_ms,
    places_of,
    record,
    sending,
    stored,
    take,
    taken,
    texts,
    ttl_ms,
)
from worker.runtime import State


def operator(state: State) -> Operator:
    return Operator(state.scripts, state.keys)


def dead(state: State, session: str = "s-1", reason: str = "http_400") -> Taken:
    held = sending(state, session)
    assert state.outbox.settle(held, "dead", reason=reason, line="attempt 1") == "dead"
    return held


def unknown(state: State, session: str = "s-1", *, for_ms: int = RETRY_UNKNOWN_AFTER_MS) -> Taken:
    """One that has been unknown for some time."""
    held = sending(state, session)
    assert state.outbox.settle(held, "unknown", reason="read_timeout", line="attempt 1", ambiguous=True) == "unknown"
    ended_ms = now_ms(state) - for_ms
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", ended_ms)
    return held


def reaped(state: State) -> Taken:
    """One that is unknown because its worker died, a quarter of an hour ago."""
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", now_ms(state) - RETRY_UNKNOWN_AFTER_MS)
    return held


def said(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.word, verdict.detail) for verdict in verdicts]


# Dead


def test_a_dead_one_is_due_again_from_its_first_attempt_on(state: State) -> None:
    held = dead(state)
    assert said(operator(state).retry_dead([held.outreach])) == [("retried", "")]
    assert counters(state) == {}
    assert places_of(state, held.outreach) == {"due"}
    found = record(state, held.outreach)
    assert (found["state"], found["attempts"], found["takes"]) == ("waiting", "0", "0")
    assert "ended_at" not in found
    assert "ambiguous" not in found
    for key in (state.keys.outreach(held.outreach), state.keys.session("s-1")):
        assert ttl_ms(state, key) is None
    assert held.outreach in dispatch(state)
    again = take(state, held.outreach)
    assert again.claim > held.claim
    assert (again.key, again.body) == ("key-1", "")
    assert fence(state, again) == "sending"
    assert state.outbox.settle(again, "sent", line="attempt 1") == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1


def test_the_day_on_which_it_was_counted_is_corrected(state: State) -> None:
    held = dead(state)
    today = now_ms(state) // DAY_MS
    number = int(held.outreach[:2])
    state.client.rename(state.keys.stats(number, today), state.keys.stats(number, today - 2))
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", (today - 2) * DAY_MS)
    operator(state).retry_dead([held.outreach])
    assert state.client.hget(state.keys.stats(number, today - 2), "dead.http_400@checkout.web") == b"0"


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("activity", "waiting"), ("order_completed", "bought"), ("gone", "")],
    ids=["back", "paid", "gone"],
)
def test_a_dead_one_whose_session_has_moved_on_stays_dead(state: State, kind: str, detail: str) -> None:
    held = dead(state)
    if kind == "gone":
        expire_session(state)
    else:
        happen(state, event(kind))
    assert said(operator(state).retry_dead([held.outreach])) == [("moved_on", detail)]
    assert places_of(state, held.outreach) == {"dead"}
    assert counters(state) == {"dead.http_400": 1}


def test_a_dead_one_whose_session_has_another_outreach_stays_dead(state: State) -> None:
    held = dead(state)
    later = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    assert later != held.outreach
    assert said(operator(state).retry_dead([held.outreach])) == [("moved_on", "abandoned")]


def test_a_dead_one_that_is_too_old_for_a_contact_stays_dead(state: State) -> None:
    held = dead(state)
    state.client.hset(state.keys.outreach(held.outreach), "expires_at", now_ms(state) - 1)
    assert said(operator(state).retry_dead([held.outreach])) == [("too_old", "")]
    assert places_of(state, held.outreach) == {"dead"}


def test_a_retry_is_carried_out_once(state: State) -> None:
    held = dead(state)
    decides = operator(state)
    assert said(decides.retry_dead([held.outreach, held.outreach])) == [("retried", ""), ("is", "waiting")]
    assert counters(state) == {}


def test_a_dropped_one_keeps_its_outcome_and_cannot_be_retried(state: State) -> None:
    held = dead(state)
    decides = operator(state)
    assert said(decides.drop([held.outreach])) == [("done", "")]
    assert places_of(state, held.outreach) == set()
    assert (record(state, held.outreach)["state"], counters(state)) == ("dead", {"dead.http_400": 1})
    assert record(state, held.outreach)["history"].endswith("dropped.by_operator\n")
    assert said(decides.drop([held.outreach])) == [("dropped", "")]
    assert said(decides.retry_dead([held.outreach])) == [("dropped", "")]
    left = ttl_ms(state, state.keys.outreach(held.outreach))
    assert left is not None
    assert left <= OUTREACH_TTL_MS


def test_only_a_dead_one_can_be_dropped(state: State) -> None:
    held = unknown(state)
    assert said(operator(state).drop([held.outreach])) == [("is", "unknown")]
    assert places_of(state, held.outreach) == {"unknown"}


# Unknown


def test_the_request_of_an_unknown_one_is_kept_for_as_long_as_its_key_is_known(state: State) -> None:
    held = unknown(state)
    assert "body" not in record(state, held.outreach)
    assert texts(state, state.keys.body(held.outreach)) == {"body": BODY}
    left = ttl_ms(state, state.keys.body(held.outreach))
    assert left is not None
    assert DAY_MS - MINUTE_MS < left <= DAY_MS


def test_the_request_of_one_whose_key_is_forgotten_is_not_kept(state: State) -> None:
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


def test_an_unknown_one_is_repeated_with_the_same_request_and_stays_ambiguous(state: State) -> None:
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


def test_one_whose_worker_died_is_ambiguous_once_it_is_repeated(state: State) -> None:
    held = reaped(state)
    assert "ambiguous" not in record(state, held.outreach)
    assert said(operator(state).retry_unknown([held.outreach])) == [("retried", "")]
    assert record(state, held.outreach)["ambiguous"] == "1"
    happen(state, event())
    assert counters(state) == {"unknown.cancelled": 1}


def test_an_unknown_one_is_not_repeated_while_its_request_may_be_under_way(state: State) -> None:
    held = unknown(state, for_ms=RETRY_UNKNOWN_AFTER_MS - 30 * SECOND_MS)
    ((word, detail),) = said(operator(state).retry_unknown([held.outreach]))
    assert word == "too_soon"
    assert int(detail) == int(record(state, held.outreach)["ended_at"]) + RETRY_UNKNOWN_AFTER_MS
    assert places_of(state, held.outreach) == {"unknown"}


def test_an_unknown_one_whose_request_is_not_kept_any_more_is_not_repeated(state: State) -> None:
    held = unknown(state)
    state.client.delete(state.keys.body(held.outreach))
    assert said(operator(state).retry_unknown([held.outreach])) == [("no_body", "")]
    assert counters(state) == {"unknown.read_timeout": 1}


def test_dead_and_unknown_are_told_apart(state: State) -> None:
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


def test_a_late_answer_that_it_was_not_sent_repeats_the_same_request(state: State) -> None:
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    state.outbox.reap()
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "waiting"
    dispatch(state)
    assert take(state, held.outreach).body == BODY


def test_a_worker_that_comes_back_after_the_decision_changes_nothing(state: State) -> None:
    held = reaped(state)
    operator(state).retry_unknown([held.outreach])
    assert state.outbox.settle(held, "sent", line="attempt 1") is None
    dispatch(state)
    assert fence(state, take(state, held.outreach)) == "sending"
    assert state.outbox.settle(held, "dead", line="attempt 1") is None


# Ending


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_waits_and_what_was_taken_is_ended(state: State, *, is_taken: bool) -> None:
    held = taken(state) if is_taken else None
    outreach = held.outreach if held else abandon(state)
    assert said(operator(state).expire([outreach])) == [("done", "expired")]
    assert counters(state) == {"expired.by_operator": 1}
    assert places_of(state, outreach) == set()
    if held is not None:
        assert fence(state, held) == "lost"
        assert not state.outbox.postpone(held, delay_ms=1, why="")


def test_what_is_sending_is_never_ended(state: State) -> None:
    held = sending(state)
    assert said(operator(state).expire([held.outreach])) == [("is", "sending")]
    assert state.outbox.settle(held, "sent", line="attempt 1") == "sent"
    assert said(operator(state).expire([held.outreach])) == [("is", "sent")]
    assert counters(state) == {"sent": 1}


def test_what_is_ambiguous_ends_unknown(state: State) -> None:
    held = unknown(state)
    operator(state).retry_unknown([held.outreach])
    assert said(operator(state).expire([held.outreach])) == [("done", "unknown")]
    assert counters(state) == {"unknown.expired": 1}


# Only looking


def test_who_only_looks_changes_nothing_and_is_told_what_would_be(state: State) -> None:
    decides = operator(state)
    refused, nobody_knows, waiting = dead(state), unknown(state, "s-2"), abandon(state, "s-3")
    before = dump(state)
    assert said(decides.retry_dead([refused.outreach, waiting], look=True)) == [("retried", ""), ("is", "waiting")]
    assert said(decides.drop([refused.outreach, waiting], look=True)) == [("done", ""), ("is", "waiting")]
    assert said(decides.retry_unknown([nobody_knows.outreach, waiting], look=True)) == [
        ("retried", ""),
        ("is", "waiting"),
    ]
    assert said(decides.resolve_sent([nobody_knows.outreach, waiting], look=True)) == [("done", ""), ("is", "waiting")]
    assert said(decides.expire([waiting, refused.outreach], look=True)) == [("done", ""), ("is", "dead")]
    assert dump(state) == before
