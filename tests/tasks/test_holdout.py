"""People of the holdout are recorded like a contact but not contacted."""

from dataclasses import replace

from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tests.support.attempts import PERSON, held_by, yuno
from tests.support.durations import HOUR_MS
from tests.support.events import event, happen
from tests.support.outreaches import abandon, dispatch
from tests.support.passing_time import let_reservations_age
from tests.support.policy_attempts import dispatched, holding
from tests.support.stored_state import record, stored
from worker.runtime import State


def test_held_out_person_is_recorded_and_not_contacted(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, holding(deps, held=True)) == AttemptOutcome(outreach, "suppressed", "holdout")
        assert server.requests == []
    assert held_by(state) == outreach
    assert stored(state).contacts == 1
    assert record(state, outreach)["reason"] == "holdout"


def test_person_outside_the_holdout_is_contacted(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, _):
        assert attempt(outreach, holding(deps, held=False)).outcome == "sent"


def test_shadow_mode_holds_out_no_person(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, _):
        shadow = replace(holding(deps, held=True), client=None)
        assert attempt(outreach, shadow).reason == "shadow"
    assert held_by(state) == ""


def test_return_during_the_holdout_reserves_no_person(state: State) -> None:
    outreach = dispatched(state)

    class ComesBack(type(state.people)):  # type: ignore[misc]
        def reserve(self, *args: object, **named: object) -> object:
            answer = super().reserve(*args, **named)
            happen(state, event(stage="payment"))
            return answer

    people = ComesBack(state.scripts, state.keys, longest_limit_ms=HOUR_MS, lease_ms=1, bought_window_ms=1)
    with yuno(state) as (deps, _):
        assert attempt(outreach, replace(holding(deps, held=True), people=people)).outcome == "lost"
    assert held_by(state) == ""
    assert record(state, outreach)["reason"] == "came_back"


def test_held_out_person_is_not_contacted_within_the_cap(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        attempt(outreach, holding(deps, held=True))
        let_reservations_age(state, PERSON, HOUR_MS)
        second = abandon(state, "s-2")
        dispatch(state)
        assert attempt(second, deps).reason == "contacted_recently"
        assert server.requests == []
