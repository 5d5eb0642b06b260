"""The outreaches of an erased session."""

import pytest

from state.erasure import Erased
from tests.support.deciding import dead, said, unknown
from tests.support.deciding import operator as operator_of
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.erasing import erasure, forget, is_tombstone
from tests.support.events import JANE, apply, arrived, event
from tests.support.outreaches import BODY, abandon, dispatch, fence, sending, sweep, take_again, taken
from tests.support.passing_time import let_lease_run_out
from tests.support.stored_state import counters, now_ms, places_of, record, stored, texts, ttl_ms
from worker.runtime import State


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
    assert erasure(state).erase(["s-dead", "s-unknown"], []) == Erased(sessions=2, outreaches=2)
    for held in (refused, nobody_knows):
        assert places_of(state, held.outreach) == set()
        assert record(state, held.outreach) == {}
    assert list(state.client.scan_iter("*:body:*")) == []
    assert counters(state) == {"dead.http_400": 1, "unknown.read_timeout": 1}


def test_earlier_outreaches_of_the_session_are_erased(state: State) -> None:
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
    assert erasure(state).erase([], [held.outreach]) == Erased(outreaches=1)
    assert stored(state).state == "abandoned"
    assert record(state, held.outreach) == {}


def skeleton(state: State) -> dict[str, str]:
    (key,) = state.client.scan_iter("*:outreach:*")
    return texts(state, key.decode())


def test_outreach_in_flight_leaves_an_empty_skeleton(state: State) -> None:
    held = sending(state)
    assert forget(state) == Erased(sessions=1, skeletons=1)
    found = skeleton(state)
    assert found.keys() == {"state", "session", "token", "attempts", "takes", "lane", "history"}
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
def test_ambiguous_outreach_ends_unknown_after_an_erasure(state: State, result: str) -> None:
    first = sending(state)
    state.outbox.settle(first, "retry", reason="read_timeout", line="attempt 1", ambiguous=True)
    again = take_again(state, first.outreach)
    assert fence(state, again) == "sending"
    forget(state)
    assert state.outbox.settle(again, result, reason="why", line="attempt 2") == "unknown"  # type: ignore[arg-type]
    assert [name.partition(".")[0] for name in counters(state)] == ["unknown"]


def test_erased_outreach_of_a_dead_worker_ends_unknown(state: State) -> None:
    held = sending(state)
    forget(state)
    let_lease_run_out(state, held.outreach)
    assert state.outbox.reap().unknown == 1
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", 1)
    assert said(operator_of(state).retry_unknown([held.outreach])) == [("moved_on", "forgotten")]
    state.client.hset(state.keys.outreach(held.outreach), "ended_at", now_ms(state))
    assert state.outbox.settle(held, "retry", reason="http_503", line="attempt 1") == "cancelled"
    assert counters(state) == {"cancelled.forgotten": 1}


def test_second_contact_waits_while_the_first_is_in_flight(state: State) -> None:
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
