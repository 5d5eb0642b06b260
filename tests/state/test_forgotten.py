"""Tombstones: what a session was before it was forgotten is not brought back; what it does later begins afresh."""

import pytest

from detectors.lanes import LANES
from state.erasure import Erased, Forgetting
from state.keys import SESSION_TTL_MS
from tests.state.test_operator import dead, said, unknown
from tests.state.test_operator import operator as operator_of
from tests.support.helpers import (
    BODY,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    apply,
    arrived,
    counters,
    dispatch,
    event,
    fence,
    happen,
    lanes_of,
    let_lease_run_out,
    now_ms,
    places_of,
    record,
    sending,
    stored,
    sweep,
    take_again,
    taken,
    texts,
    ttl_ms,
)
from worker.runtime import State


def forgetting(state: State) -> Forgetting:
    return Forgetting(state.scripts, state.keys, [lane.name for lane in LANES])


def forget(state: State, session: str = "s-1", *outreaches: str) -> Erased:
    return forgetting(state).erase([session], outreaches)


def is_tombstone(state: State, session: str = "s-1") -> bool:
    return texts(state, state.keys.session(session)).keys() == {"state", "forgotten"}


def test_a_session_leaves_nothing_but_the_moment(state: State) -> None:
    happen(state, event(customer=JANE, cart={"items": [{"name": "a"}]}), ago_ms=MINUTE_MS)
    assert forget(state) == Erased(sessions=1)
    assert is_tombstone(state)
    assert lanes_of(state) == {}
    left = ttl_ms(state, state.keys.session("s-1"))
    assert left is not None
    assert SESSION_TTL_MS - MINUTE_MS < left <= SESSION_TTL_MS
    assert sweep(state) == 0
    assert forget(state) == Erased()


@pytest.mark.parametrize("kind", ["activity", "exit", "order_completed", "opt_out"])
def test_events_from_before_do_not_bring_it_back(state: State, kind: str) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    late = arrived(event(kind, customer=JANE), now_ms(state) - SECOND_MS)
    forget(state)
    assert apply(state, late) == []
    assert is_tombstone(state)
    assert lanes_of(state) == {}


def test_a_usual_event_from_before_does_not_bring_it_back(state: State) -> None:
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    late = arrived(event(), now_ms(state) - SECOND_MS)
    forget(state)
    apply(state, late)
    assert is_tombstone(state)
    assert lanes_of(state) == {}


@pytest.mark.parametrize("kind", ["activity", "exit", "order_completed", "opt_out"])
def test_events_from_before_are_ignored_also_after_it_has_begun_afresh(state: State, kind: str) -> None:
    at_ms = now_ms(state)
    happen(state, event(customer=JANE), ago_ms=MINUTE_MS)
    forget(state)
    apply(state, arrived(event(kind, stage="payment" if kind == "activity" else None), at_ms + MINUTE_MS))
    before = texts(state, state.keys.session("s-1"))
    late = (arrived(event("exit", customer=JANE), at_ms - MINUTE_MS), arrived(event(customer=JANE), at_ms - SECOND_MS))
    assert apply(state, *late, arrived(event("order_completed", stage=None, customer=JANE), at_ms - 1)) == []
    assert texts(state, state.keys.session("s-1")) == before
    assert "phone" not in stored(state).fields


def test_what_it_does_later_begins_afresh(state: State) -> None:
    outreach = abandon(state)
    forget(state)
    at_ms = now_ms(state) + MINUTE_MS
    apply(state, arrived(event(stage="payment", customer={"full_name": "Jane"}), at_ms))
    found = stored(state)
    assert (found.state, found.outreaches, found.contacts) == ("waiting", (), 0)
    assert dict(found.fields) == {"name": "Jane"}
    assert lanes_of(state) == {"payment.web.idle": at_ms}
    apply(state, arrived(event(stage="payment"), at_ms + 1))
    assert stored(state).activity // 100 == at_ms + 1
    assert record(state, outreach) == {}


def test_an_event_of_the_same_moment_is_from_before(state: State) -> None:
    happen(state, event(customer=JANE))
    forget(state)
    moment = int(texts(state, state.keys.session("s-1"))["forgotten"])
    apply(state, arrived(event("order_completed", stage=None), moment // 100))
    assert is_tombstone(state)
    apply(state, arrived(event(), moment // 100 + 1))
    assert stored(state).state == "waiting"


def test_an_opt_out_after_it_was_forgotten_counts(state: State) -> None:
    happen(state, event(customer=JANE))
    forget(state)
    late = arrived(event("opt_out", stage=None, customer=JANE), now_ms(state) + SECOND_MS)
    (mark,) = apply(state, late)
    assert (mark.opted_out, mark.phone) == (True, JANE["phone_number"])


# Its outreaches


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_waits_is_cancelled_and_counted_before_it_goes(state: State, *, is_taken: bool) -> None:
    held = taken(state) if is_taken else None
    outreach = held.outreach if held else abandon(state)
    assert forget(state) == Erased(sessions=1, outreaches=1)
    assert record(state, outreach) == {}
    assert places_of(state, outreach) == set()
    assert counters(state) == {"cancelled.forgotten": 1}
    assert dispatch(state) == []
    assert state.outbox.take(outreach) is None
    if held is not None:
        assert fence(state, held) == "lost"
    assert list(state.client.scan_iter("*:outreach:*")) == []


def test_of_what_waits_for_a_decision_nothing_is_left(state: State) -> None:
    refused, nobody_knows = dead(state, "s-dead"), unknown(state, "s-unknown")
    assert forgetting(state).erase(["s-dead", "s-unknown"], []) == Erased(sessions=2, outreaches=2)
    for held in (refused, nobody_knows):
        assert places_of(state, held.outreach) == set()
        assert record(state, held.outreach) == {}
    assert list(state.client.scan_iter("*:body:*")) == []
    assert counters(state) == {"dead.http_400": 1, "unknown.read_timeout": 1}


def test_earlier_outreaches_go_as_well_those_that_are_named_and_those_it_knows(state: State) -> None:
    first = taken(state)
    state.outbox.end_unsent(first, "suppressed", "no_cart")
    second = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    state.client.hset(state.keys.session("s-1"), "outreaches", f"{second} ")
    assert forget(state, "s-1", first.outreach) == Erased(sessions=1, outreaches=2)
    assert list(state.client.scan_iter("*:outreach:*")) == []
    third, fourth = taken(state, "s-2"), "s-2"
    state.outbox.end_unsent(third, "suppressed", "no_cart")
    abandon(state, fourth, ago_ms=HOUR_MS - MINUTE_MS)
    assert forget(state, "s-2") == Erased(sessions=1, outreaches=2)


def test_an_outreach_can_go_without_its_session(state: State) -> None:
    held = dead(state)
    assert forgetting(state).erase([], [held.outreach]) == Erased(outreaches=1)
    assert stored(state).state == "abandoned"
    assert record(state, held.outreach) == {}


def skeleton(state: State) -> dict[str, str]:
    (key,) = state.client.scan_iter("*:outreach:*")
    return texts(state, key.decode())


def test_of_what_is_under_way_a_skeleton_stays_that_tells_nothing(state: State) -> None:
    held = sending(state)
    assert forget(state) == Erased(sessions=1, skeletons=1)
    found = skeleton(state)
    assert found.keys() == {"state", "session", "claim", "attempts", "takes", "lane", "history"}
    assert (found["state"], found["session"]) == ("sending", "")
    assert found["history"].endswith(" forgotten\n")
    assert places_of(state, held.outreach) == {"leased"}
    assert forget(state) == Erased()


@pytest.mark.parametrize(
    ("result", "ended", "counted"),
    [
        ("sent", "sent", "sent.why"),
        ("dead", "dead", "dead.why"),
        ("unknown", "unknown", "unknown.why"),
        ("retry", "cancelled", "cancelled.forgotten"),
        ("not_sent", "cancelled", "cancelled.forgotten"),
    ],
)
def test_what_was_under_way_ends_without_another_attempt(state: State, result: str, ended: str, counted: str) -> None:
    held = sending(state)
    forget(state)
    settled = state.outbox.settle(held, result, reason="why", line="attempt 1 Jane Doe is refused")  # type: ignore[arg-type]
    assert settled == ended
    assert counters(state) == {counted: 1}
    assert dispatch(state) == []
    found = skeleton(state)
    assert "Jane" not in found["history"]
    assert "body" not in found
    assert is_tombstone(state) or texts(state, state.keys.session("s-1")).keys() == {"state", "forgotten", "sending"}
    assert {key.decode() for key in state.client.scan_iter("*:session:*")} == {state.keys.session("s-1")}
    assert list(state.client.scan_iter("*:body:*")) == []
    assert ttl_ms(state, state.keys.outreach(held.outreach)) is not None


@pytest.mark.parametrize("result", ["dead", "retry", "not_sent"])
def test_one_that_may_have_been_a_contact_before_ends_unknown_however_this_attempt_went(
    state: State, result: str
) -> None:
    first = sending(state)
    state.outbox.settle(first, "retry", reason="read_timeout", line="attempt 1", ambiguous=True)
    again = take_again(state, first.outreach)
    assert fence(state, again) == "sending"
    forget(state)
    assert state.outbox.settle(again, result, reason="why", line="attempt 2") == "unknown"  # type: ignore[arg-type]
    assert [name.partition(".")[0] for name in counters(state)] == ["unknown"]


def test_a_worker_that_never_comes_back_leaves_an_unknown_one_that_cannot_be_repeated(state: State) -> None:
    held = sending(state)
    forget(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", 1)
    assert said(operator_of(state).retry_unknown([held.outreach])) == [("moved_on", "forgotten")]
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", now_ms(state))
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert counters(state) == {"cancelled.forgotten": 1}


def test_a_second_contact_cannot_begin_while_the_first_is_under_way(state: State) -> None:
    held = sending(state)
    forget(state)
    apply(state, arrived(event(customer=JANE), now_ms(state) + SECOND_MS))
    assert sweep(state, silent_for_ms=-MINUTE_MS) == 1
    (outreach,) = dispatch(state)
    again = state.outbox.take(outreach)
    assert again is not None
    assert fence(state, again) == "busy"
    state.outbox.settle(held, "sent", line="attempt 1")
    assert state.outbox.fence(again, body=BODY, key="key-2").verdict == "sending"
