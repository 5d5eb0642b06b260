"""An operator's decisions on outreaches: retried, dropped, recorded as delivered, ended."""

import pytest

from state.decisions import Operator
from state.keys import OUTREACH_TTL_MS
from tests.support.deciding import dead, operator, said, unknown
from tests.support.dumps import dump
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import event, happen
from tests.support.outreaches import abandon, dispatch, fence, sending, take, taken
from tests.support.passing_time import expire_session
from tests.support.stored_state import counters, now_ms, places_of, record, stored, ttl_ms
from worker.runtime import State

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
    assert again.token > held.token
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
def test_dead_outreach_of_a_changed_session_stays_dead(state: State, kind: str, detail: str) -> None:
    held = dead(state)
    if kind == "gone":
        expire_session(state)
    else:
        happen(state, event(kind))
    assert said(operator(state).retry_dead([held.outreach])) == [("moved_on", detail)]
    assert places_of(state, held.outreach) == {"dead"}
    assert counters(state) == {"dead.http_400": 1}


def test_dead_outreach_of_a_session_with_another_stays_dead(state: State) -> None:
    held = dead(state)
    later = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    assert later != held.outreach
    assert said(operator(state).retry_dead([held.outreach])) == [("moved_on", "abandoned")]


def test_a_dead_one_that_is_too_old_for_a_contact_stays_dead(state: State) -> None:
    held = dead(state)
    state.client.hset(state.keys.outreach(held.outreach), "expires_at", now_ms(state) - 1)
    assert said(operator(state).retry_dead([held.outreach])) == [("too_old", "")]
    assert places_of(state, held.outreach) == {"dead"}


def test_delay_of_a_contact_is_added_to_its_age(state: State) -> None:
    held = dead(state)
    state.client.hset(state.keys.outreach(held.outreach), "expires_at", now_ms(state) - MINUTE_MS)
    late, in_time = (Operator(state.scripts, state.keys, delay_ms=delay_ms) for delay_ms in (1, 2 * MINUTE_MS))
    assert said(late.retry_dead([held.outreach])) == [("too_old", "")]
    assert said(in_time.retry_dead([held.outreach])) == [("retried", "")]


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


# Dry runs


def test_dry_run_changes_nothing_and_reports_the_result(state: State) -> None:
    decides = operator(state)
    refused, nobody_knows, waiting = dead(state), unknown(state, "s-2"), abandon(state, "s-3")
    before = dump(state)
    assert said(decides.retry_dead([refused.outreach, waiting], dry_run=True)) == [("retried", ""), ("is", "waiting")]
    assert said(decides.drop([refused.outreach, waiting], dry_run=True)) == [("done", ""), ("is", "waiting")]
    assert said(decides.retry_unknown([nobody_knows.outreach, waiting], dry_run=True)) == [
        ("retried", ""),
        ("is", "waiting"),
    ]
    assert said(decides.resolve_sent([nobody_knows.outreach, waiting], dry_run=True)) == [
        ("done", ""),
        ("is", "waiting"),
    ]
    assert said(decides.expire([waiting, refused.outreach], dry_run=True)) == [("done", ""), ("is", "dead")]
    assert dump(state) == before
