"""The outcomes that scripts publish, in the same step as the end of an outreach."""

import json

import pytest

from state.keys import DAY_MS
from state.lua_constants import MOST_OUTCOMES
from state.outbox import Result
from state.outcome_feed import FeedEntry
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.erasing import erasure, forget
from tests.support.events import event, happen
from tests.support.feed import feed_of, published, waiting
from tests.support.orders import contacted, order, order_comes
from tests.support.outreaches import abandon, fence, sending, taken
from tests.support.passing_time import let_lease_run_out
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.runtime import State

# Each end of an outreach


@pytest.mark.parametrize("result", ["sent", "dead", "suppressed", "unknown"])
def test_settled_attempt_publishes_its_outcome(state: State, result: Result) -> None:
    held = sending(state)
    before_ms = now_ms(state)
    state.outbox.settle(held, result, reason="because")
    (one,) = waiting(state)
    assert (one.outreach, one.kind, one.reason, one.session) == (held.outreach, result, "because", "s-1")
    assert (one.lane, one.last) == (held.lane, held.last)
    assert before_ms <= one.at_ms <= now_ms(state)
    assert one.contacted_at_ms == one.at_ms


@pytest.mark.parametrize("result", ["retry", "not_sent"])
def test_attempt_to_be_repeated_publishes_nothing(state: State, result: Result) -> None:
    state.outbox.settle(sending(state), result, reason="http_503", delay_ms=HOUR_MS)
    assert published(state) == []


def test_policy_publishes_its_reason(state: State) -> None:
    state.outbox.end_unsent(taken(state), "suppressed", "opted_out")
    assert published(state) == [("suppressed", "opted_out")]


def test_shopper_who_returns_publishes_a_cancelled_outreach(state: State) -> None:
    abandon(state)
    happen(state, event(session="s-1"), ago_ms=0)
    assert published(state) == [("cancelled", "came_back")]


def test_lost_worker_publishes_unknown(state: State) -> None:
    held = sending(state)
    let_lease_run_out(state, held.outreach)
    state.outbox.reap()
    assert published(state) == [("unknown", "lease_ran_out")]


def test_certain_reply_after_unknown_publishes_both(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "unknown", reason="read_timeout")
    state.outbox.settle(held, "sent")
    assert published(state) == [("unknown", "read_timeout"), ("sent", "")]


def test_worker_whose_outreach_is_taken_publishes_nothing(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "sent")
    state.outbox.settle(held, "dead")
    assert published(state) == [("sent", "")]


# Orders after a contact


def test_order_after_a_contact_publishes_recovered_with_value(state: State) -> None:
    held = contacted(state)
    order_comes(state, order())
    assert published(state) == [("sent", ""), ("recovered", "")]
    one = waiting(state)[1]
    assert (one.outreach, one.session) == (held.outreach, "s-1")
    assert one.order.endswith("COP 0000000000014999")
    assert now_ms(state) - HOUR_MS - MINUTE_MS < one.contacted_at_ms <= now_ms(state) - HOUR_MS


def test_repeated_order_publishes_recovered_once(state: State) -> None:
    contacted(state)
    order_comes(state, order())
    order_comes(state, order())
    assert published(state) == [("sent", ""), ("recovered", "")]


@pytest.mark.parametrize("result", ["holdout", "unknown"])
def test_order_without_a_certain_contact_publishes_no_recovery(state: State, result: str) -> None:
    contacted(state, result=result)
    order_comes(state, order())
    assert "recovered" not in dict(published(state))


def test_order_after_an_unknown_contact_counts_when_it_is_certain(state: State) -> None:
    held = contacted(state, result="unknown")
    order_comes(state, order())
    state.outbox.settle(held, "sent")
    assert published(state) == [("unknown", "because"), ("sent", ""), ("recovered", "")]


def test_unknown_contact_that_was_none_publishes_no_recovery(state: State) -> None:
    held = contacted(state, result="unknown")
    order_comes(state, order())
    state.outbox.settle(held, "dead", reason="http_422")
    assert published(state) == [("unknown", "because"), ("dead", "http_422")]


# Their order and their number


def test_places_ascend_also_if_the_clock_is_put_back(state: State) -> None:
    held = sending(state)
    state.outbox.settle(held, "unknown", reason="read_timeout")
    (first,) = waiting(state)
    key = state.keys.unmoved(int(held.outreach[:2]))
    state.client.delete(key)
    later_ms = now_ms(state) + HOUR_MS
    state.client.zadd(key, {first.member.replace(str(first.place).encode(), str(later_ms).encode(), 1): later_ms})
    state.outbox.settle(held, "sent")
    assert [one.place for one in waiting(state)] == [later_ms, later_ms + 1]
    assert published(state) == [("unknown", "read_timeout"), ("sent", "")]


def test_full_set_takes_no_more_and_counts_the_loss(state: State) -> None:
    held = sending(state)
    number = int(held.outreach[:2])
    state.client.zadd(state.keys.unmoved(number), {f'["{place}"]': place for place in range(MOST_OUTCOMES)})
    assert state.outbox.settle(held, "sent") == "sent"
    assert state.client.zcard(state.keys.unmoved(number)) == MOST_OUTCOMES
    assert texts(state, state.keys.clock(number))["lost"] == "1"


def test_removal_reports_each_loss_once(state: State) -> None:
    state.outbox.settle(sending(state), "sent")
    found = waiting(state)
    state.client.hset(state.keys.clock(int(found[0].outreach[:2])), "lost", 3)
    assert feed_of(state).remove(found) == 3
    assert feed_of(state).remove(found) == 0
    assert published(state) == []


# Erasure


def test_outcome_of_an_expired_record_loses_its_session(state: State) -> None:
    held = taken(state)
    state.outbox.end_unsent(held, "cancelled", "came_back")
    state.client.delete(state.keys.outreach(held.outreach))
    forget(state)
    assert [(one.kind, one.session) for one in waiting(state)] == [("cancelled", "")]


def test_erased_outreach_leaves_its_outcome_without_session(state: State) -> None:
    outreach = abandon(state)
    erasure(state).erase([], [outreach])
    assert [(one.kind, one.reason, one.session) for one in waiting(state)] == [("cancelled", "forgotten", "")]


def test_request_in_flight_of_an_erased_person_names_no_session(state: State) -> None:
    held = sending(state)
    forget(state)
    state.outbox.settle(held, "sent")
    assert [(one.kind, one.session, one.last) for one in waiting(state)] == [("sent", "", 0)]


# The feed


def test_feed_keeps_about_as_many_entries_as_asked(state: State) -> None:
    feed_of(state).append([FeedEntry(f"id-{number}", "{}") for number in range(600)], most=100)
    assert 100 <= feed_of(state).snapshot().length < 300


def test_trim_removes_what_is_older(state: State) -> None:
    for at_ms in range(1, 401):
        state.client.xadd(state.keys.outcomes, {"id": "a", "outcome": "{}"}, id=f"{at_ms}-1")
    feed_of(state).trim(now_ms(state) - DAY_MS)
    assert feed_of(state).snapshot().length < 200


def test_report_adds_up_losses_and_expires(state: State) -> None:
    feed = feed_of(state)
    feed.report(2)
    feed.report(0)
    before_ms = now_ms(state)
    feed.check(3)
    found = texts(state, state.keys.feed)
    assert found["lost"] == "5"
    assert int(found["lost_at"]) >= before_ms
    assert before_ms <= int(found["at"]) <= now_ms(state)
    assert json.loads(found["readers"]) == []
    assert ttl_ms(state, state.keys.feed) is not None


@pytest.mark.xdist_group("valkey")
def test_reader_that_missed_removed_entries_is_found(real_state: State) -> None:
    client, key, feed = real_state.client, real_state.keys.outcomes, feed_of(real_state)
    assert feed.snapshot() == (0, ())
    feed.append([FeedEntry(f"id-{number}", "{}") for number in range(5)], most=1000)
    client.xgroup_create(key, "mail", id="0")
    client.xreadgroup("mail", "one", {key: ">"}, count=2)
    assert feed.snapshot() == (5, (("mail", 3, 0),))
    client.xtrim(key, maxlen=1, approximate=False)
    assert [(one.name, one.missed) for one in feed.snapshot().readers] == [("mail", 2)]


@pytest.mark.xdist_group("valkey")
def test_erased_entries_are_no_loss_for_a_reader(real_state: State) -> None:
    feed = feed_of(real_state)
    feed.append([FeedEntry(f"id-{number}", "{}") for number in range(4)], most=1000)
    real_state.client.xgroup_create(real_state.keys.outcomes, "mail", id="0")
    real_state.client.xreadgroup("mail", "one", {real_state.keys.outcomes: ">"}, count=1)
    feed.erase([one.entry for one in feed.stored() if one.entry][1:3])
    snapshot = feed.snapshot()
    assert (snapshot.length, [(one.name, one.missed) for one in snapshot.readers]) == (2, [("mail", 0)])
    feed.report(0)


def test_fence_publishes_when_it_cancels(state: State) -> None:
    held = taken(state)
    state.client.hset(state.keys.session("s-1"), "state", "bought")
    assert fence(state, held) == "cancelled"
    assert published(state) == [("cancelled", "paid")]
