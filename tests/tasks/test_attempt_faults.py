"""An attempt with events between two of its steps: no person is contacted twice, nothing gets stuck."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from state.outbox import Fenced, Outbox, Taken
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import PERSON, attempt_again, comes_back, held_by, let_it_be_reaped, pays, yuno
from tests.support.interrupting import After, dispatched, nothing_is_left
from tests.support.outreaches import dispatch
from tests.support.passing_time import let_lease_run_out
from tests.support.states import CAP_MS, CONTACT_REF, LEASE_MS, LIMITS
from tests.support.stored_state import now_ms, record
from worker.runtime import State

OTHER = "63-00000000000000bb"


class _Before(Outbox):
    """Acts just before the fence."""

    def __init__(self, state: State, act: Callable[[], object]) -> None:
        super().__init__(state.scripts, state.keys, LEASE_MS)
        self._act = act

    def fence(self, taken: Taken, **named: Any) -> Fenced:  # noqa: ANN401 - as it is called
        self._act()
        return super().fence(taken, **named)


# Between the take and the fence.


@pytest.mark.parametrize(("act", "reason"), [(comes_back, "came_back"), (pays, "paid")])
def test_return_or_order_before_the_fence_prevents_contact(
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


def test_worker_stalled_before_the_fence_sends_nothing(state: State) -> None:
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


def test_order_in_another_session_stops_a_fenced_attempt(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, people=After(state, lambda: pays(state, "s-2")))
        assert attempt(outreach, rushed) == AttemptOutcome(outreach, "suppressed", "bought_recently")
        assert server.requests == []
    assert held_by(state) == ""
    assert nothing_is_left(state, outreach)


def test_an_opt_out_stops_it_even_after_the_fence(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(deps, people=After(state, lambda: state.people.opt_out(PERSON)))
        assert attempt(outreach, rushed) == AttemptOutcome(outreach, "suppressed", "opted_out")
        assert server.requests == []


def test_person_reserved_by_another_attempt_is_waited_for(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        rushed = replace(
            deps, people=After(state, lambda: state.people.reserve([PERSON], OTHER, 1, CONTACT_REF, LIMITS))
        )
        assert attempt(outreach, rushed) == AttemptOutcome(outreach, "waiting", "", 1, "person_held")
        assert record(state, outreach)["attempts"] == "0"
        assert held_by(state) == OTHER
        assert state.people.release([PERSON], OTHER, 1)
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1


def test_person_contacted_by_another_attempt_is_suppressed(state: State) -> None:
    outreach = dispatched(state)

    def reserve_long_ago() -> None:
        at, key = now_ms(state) - LEASE_MS, f"{state.keys.person(PERSON)}reserved"
        state.client.hset(key, OTHER, f"1:{at}")
        state.client.pexpire(key, CAP_MS)

    with yuno(state) as (deps, server):
        rushed = replace(deps, people=After(state, reserve_long_ago))
        assert attempt(outreach, rushed) == AttemptOutcome(outreach, "suppressed", "contacted_recently")
        assert server.requests == []
    assert nothing_is_left(state, outreach)


@pytest.mark.parametrize("stand_in", ["outbox", "people"])
def test_worker_stalled_after_the_fence_sends_nothing(state: State, stand_in: str) -> None:
    outreach = dispatched(state)
    clock = [0.0]
    stalls: Any = (_Before if stand_in == "outbox" else After)(state, lambda: clock.append(clock[-1] + 60.0))
    with yuno(state) as (deps, server):
        stalled = replace(deps, monotonic=lambda: clock[-1], **{stand_in: stalls})
        assert attempt(outreach, stalled) == AttemptOutcome(outreach, "waiting", "", 1, "too_late")
        assert server.received == b""
        assert held_by(state) == ""
        assert record(state, outreach)["attempts"] == "0"
        assert attempt_again(state, outreach, deps) == AttemptOutcome(outreach, "sent", "", 1, "http_200")
        assert len(server.requests) == 1
