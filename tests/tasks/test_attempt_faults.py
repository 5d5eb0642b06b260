"""An attempt in which something happens between two of its steps: nobody is contacted twice, nothing gets stuck."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.outbox import Fenced, Outbox, Taken
from state.people import People, Reservation
from tasks.delivery.attempt import attempt
from tasks.delivery.sending import Outcome
from tests.support.attempts import PERSON, attempt_again, comes_back, held_by, let_it_be_reaped, pays, yuno
from tests.support.faulty_server import OK, http
from tests.support.helpers import (
    CAP_MS,
    LEAD,
    LEASE_MS,
    LIMITS,
    abandon,
    counters,
    dispatch,
    let_lease_run_out,
    now_ms,
    places_of,
    record,
    stored,
)
from tests.support.wire import Wire
from worker.runtime import State

OTHER = "63-00000000000000bb"


def dispatched(state: State, session: str = "s-1") -> str:
    outreach = abandon(state, session)
    assert outreach in dispatch(state)
    return outreach


def nothing_is_left(state: State, outreach: str) -> bool:
    """Whether no dispatch will ever hand it out again."""
    return state.outbox.reap().due_again == 0 and dispatch(state) == [] and not places_of(state, outreach) - {"unknown"}


class _Before(Outbox):
    """Does something just before the fence."""

    def __init__(self, state: State, act: Callable[[], object]) -> None:
        super().__init__(state.scripts, state.keys, LEASE_MS)
        self._act = act

    def fence(self, taken: Taken, **named: Any) -> Fenced:  # noqa: ANN401 - as it is called
        self._act()
        return super().fence(taken, **named)


class _After(People):
    """Does something just before the reservation, which is after the fence."""

    def __init__(self, state: State, act: Callable[[], object]) -> None:
        super().__init__(state.scripts, state.keys, cap_ms=CAP_MS, lease_ms=LEASE_MS, bought_window_ms=CAP_MS)
        self._act = act

    def reserve(self, *args: Any, **named: Any) -> Reservation:  # noqa: ANN401 - as it is called
        self._act()
        return super().reserve(*args, **named)


# Between the take and the fence.


@pytest.mark.parametrize(("act", "reason"), [(comes_back, "came_back"), (pays, "paid")])
def test_who_comes_back_or_pays_before_the_fence_is_not_contacted(
    state: State, act: Callable[[State], None], reason: str
) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, outbox=_Before(state, lambda: act(state)))
        assert attempt(outreach, rushed).outcome in {"cancelled", "lost"}
        assert server.requests == []
    assert (record(state, outreach)["state"], record(state, outreach)["reason"]) == ("cancelled", reason)
    assert held_by(state) == ""
    assert nothing_is_left(state, outreach)


def test_a_worker_that_stalls_before_the_fence_until_its_lease_has_run_out_sends_nothing(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        stalled = replace(deps, outbox=_Before(state, lambda: let_lease_run_out(state, outreach)))
        assert attempt(outreach, stalled).outcome == "lost"
        assert server.requests == []
        assert state.outbox.reap().due_again == 1
        assert attempt_again(state, outreach, deps).outcome == "sent"
        assert len(server.requests) == 1


def test_of_two_workers_that_both_think_it_theirs_one_sends(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):

        def another_takes_over() -> None:
            let_it_be_reaped(state, outreach)
            dispatch(state)
            assert attempt(outreach, deps).outcome == "sent"

        stalled = replace(deps, outbox=_Before(state, another_takes_over))
        assert attempt(outreach, stalled).outcome == "lost"
        assert len(server.requests) == 1


# Between the fence and the request.


def test_an_order_in_another_session_of_the_person_stops_it_even_after_the_fence(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, people=_After(state, lambda: pays(state, "s-2")))
        assert attempt(outreach, rushed) == Outcome(outreach, "suppressed", "bought_recently")
        assert server.requests == []
    assert held_by(state) == ""
    assert nothing_is_left(state, outreach)


def test_an_opt_out_stops_it_even_after_the_fence(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, people=_After(state, lambda: state.people.opt_out(PERSON)))
        assert attempt(outreach, rushed) == Outcome(outreach, "suppressed", "opted_out")
        assert server.requests == []


def test_a_person_whom_another_attempt_reserves_first_is_waited_for(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, people=_After(state, lambda: state.people.reserve([PERSON], OTHER, 1, LEAD, LIMITS)))
        assert attempt(outreach, rushed) == Outcome(outreach, "waiting", "", 1, "person_held")
        assert record(state, outreach)["attempts"] == "0"
        assert held_by(state) == OTHER
        assert state.people.release([PERSON], OTHER, 1)
        assert attempt_again(state, outreach, deps) == Outcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1


def test_a_person_whom_another_attempt_has_contacted_meanwhile_is_left_alone(state: State) -> None:
    outreach = dispatched(state)

    def reserve_long_ago() -> None:
        at = now_ms(state) - LEASE_MS
        key = f"{state.keys.person(PERSON)}reserved"
        state.client.hset(key, OTHER, f"1:{at}")
        state.client.pexpire(key, CAP_MS)

    with yuno(state) as (deps, server):
        rushed = replace(deps, people=_After(state, reserve_long_ago))
        assert attempt(outreach, rushed) == Outcome(outreach, "suppressed", "contacted_recently")
        assert server.requests == []
    assert nothing_is_left(state, outreach)


@pytest.mark.parametrize("stand_in", ["outbox", "people"])
def test_a_worker_that_stalls_after_the_fence_sends_nothing_and_it_is_due_again(state: State, stand_in: str) -> None:
    outreach = dispatched(state)
    clock = [0.0]
    stalls: Any = (_Before if stand_in == "outbox" else _After)(state, lambda: clock.append(clock[-1] + 60.0))
    with yuno(state) as (deps, server):
        stalled = replace(deps, monotonic=lambda: clock[-1], **{stand_in: stalls})
        assert attempt(outreach, stalled) == Outcome(outreach, "waiting", "", 1, "too_late")
        assert server.received == b""
        assert held_by(state) == ""
        assert record(state, outreach)["attempts"] == "0"
        assert attempt_again(state, outreach, deps) == Outcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1


# When Redis fails in the middle


def away(state: State, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Let one script fail, `before` it was carried out or `after`, as when only its answer is lost."""
    moment, name = when.split()
    really = state.scripts.run

    def run(script: str, key: str, *args: Any) -> Any:  # noqa: ANN401 - as the scripts have it
        if script != name:
            return really(script, key, *args)
        if moment == "after":
            really(script, key, *args)
        raise ServerUnavailableError("away")

    monkeypatch.setattr(state.scripts, "run", run)


@pytest.mark.parametrize(
    ("when", "answer", "ends_after"),
    [
        ("before take", OK, ("sent", 1)),
        ("after take", OK, ("sent", 1)),
        ("before settle", OK, ("unknown", 1)),
        ("after settle", OK, ("sent", 1)),
        ("before settle", http(500), ("unknown", 1)),
        ("after settle", http(500), ("sent", 2)),
        ("before release", http(500), ("unknown", 1)),
        ("after release", http(500), ("unknown", 1)),
    ],
)
def test_an_attempt_in_which_redis_goes_away_is_left_to_its_lease(
    state: State, monkeypatch: pytest.MonkeyPatch, when: str, answer: bytes, ends_after: tuple[str, int]
) -> None:
    outreach = dispatched(state)
    with yuno(state, answer, OK) as (deps, server):
        with monkeypatch.context() as broken:
            away(state, broken, when)
            with pytest.raises(StateError):
                attempt(outreach, deps)
        if "leased" in places_of(state, outreach):
            let_it_be_reaped(state, outreach)
        if "due" in places_of(state, outreach):
            assert attempt_again(state, outreach, deps).outcome == "sent"
        assert (record(state, outreach)["state"], len(server.requests)) == ends_after
        assert nothing_is_left(state, outreach)


@pytest.mark.parametrize("when", ["before fence", "after fence", "before reserve", "after reserve"])
def test_an_attempt_that_cannot_be_recorded_is_not_made_and_made_later(
    state: State, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    outreach = dispatched(state)
    with yuno(state, OK) as (deps, server):
        with monkeypatch.context() as broken:
            away(state, broken, when)
            assert attempt(outreach, deps).outcome == ("postponed" if when == "before fence" else "waiting")
        assert "state_unreachable" in record(state, outreach)["history"]
        assert server.requests == []
        assert held_by(state) == ""
        assert attempt_again(state, outreach, deps) == Outcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1


def test_the_answer_is_kept_until_redis_is_back_to_take_it(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    outreach = dispatched(state)
    really, refusals = state.scripts.run, [ServerUnavailableError("away"), ServerFullError("full")] * 2

    def run(script: str, key: str, *args: Any) -> Any:  # noqa: ANN401 - as the scripts have it
        if script == "settle" and refusals:
            raise refusals.pop()
        return really(script, key, *args)

    monkeypatch.setattr(state.scripts, "run", run)
    with yuno(state, OK) as (deps, server):
        assert attempt(outreach, deps) == Outcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1
    assert refusals == []


def test_a_reply_that_comes_after_the_lease_has_run_out_still_counts(state: State) -> None:
    outreach = dispatched(state)

    def late(wire: Wire) -> None:
        wire.request()
        let_it_be_reaped(state, outreach)
        assert record(state, outreach)["state"] == "unknown"
        wire.send(OK)

    with yuno(state, late) as (deps, _):
        assert attempt(outreach, deps).outcome == "sent"
    assert counters(state) == {"sent": 1}
    assert stored(state).contacts == 1
