"""People are assigned to arms, and counted once; orders count for the arm, with or without a contact."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from detectors.flow import Stage
from state.people import person_of
from tasks.delivery.attempt import attempt
from tasks.deps import Deps
from tasks.policy.decisions import HoldOut, Postpone, Send
from tasks.policy.experiment import Arm, ExperimentSettings
from tasks.policy.rules import decide
from tasks.policy.settings import ContactSettings
from tasks.policy.shares import share_of
from tests.support.attempts import PERSON, attempt_again, held_by, yuno
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.events import event, happen
from tests.support.outreaches import abandon, dispatch, taken
from tests.support.passing_time import let_reservations_age, let_time_pass
from tests.support.policy_attempts import contact, dispatched
from tests.support.situations import FINE, NOW_MS
from tests.support.states import EXPERIMENT, SECRET
from tests.support.stored_state import arms, record
from worker.runtime import State

START = date(2025, 1, 1)
START_MS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATER = {"later": {"delay": "1d"}, "now": {"delay": "off"}}


def settings(**more: object) -> ExperimentSettings:
    values = {"name": EXPERIMENT, "start": START, "holdout": 0, "arms": LATER, **more}
    return ExperimentSettings.model_validate(values)


def with_arm(deps: Deps, name: str) -> Deps:
    """Return settings in which Jane is in this arm: the only one, or the holdout."""
    if name == "holdout":
        return replace(deps, contact=contact(), experiment=settings(holdout=100, arms={"now": {}}))
    place = share_of(PERSON, f"experiment {EXPERIMENT} ")
    return replace(deps, contact=contact(), experiment=settings(holdout=place / 2, arms={name: LATER[name]}))


# Assignment


def test_arms_share_all_people_equally() -> None:
    found = settings(holdout=20, arms={"a": {}, "b": {}, "c": {}})
    assigned = [found.arm_of(str(number), "payment", NOW_MS) for number in range(4000)]
    names = [arm.name for arm in assigned if arm]
    shares = {name: names.count(name) / 4000 for name in found.names}
    assert set(shares) == {"a", "b", "c", "holdout"}
    assert shares["holdout"] == pytest.approx(0.2, abs=0.03)
    assert all(shares[name] == pytest.approx(0.8 / 3, abs=0.03) for name in "abc")


def test_arm_depends_on_name_and_salt_but_not_on_the_order_of_arms() -> None:
    people = [str(number) for number in range(200)]

    def assigned(**more: object) -> list[str]:
        found = settings(**more)
        return [arm.name for person in people if (arm := found.arm_of(person, "payment", NOW_MS))]

    assert assigned() == assigned(arms=dict(reversed(LATER.items())))
    assert assigned() != assigned(salt="x")
    assert assigned() != assigned(name="second")


@pytest.mark.parametrize(
    ("more", "stage", "at_ms", "is_in"),
    [
        ({}, "payment", NOW_MS, True),
        ({"name": ""}, "payment", NOW_MS, False),
        ({"stages": ["checkout"]}, "payment", NOW_MS, False),
        ({"stages": ["checkout"]}, "checkout", NOW_MS, True),
        ({}, "payment", START_MS, True),
        ({}, "payment", START_MS - 1, False),
    ],
)
def test_stage_and_start_decide_on_the_assignment(
    more: dict[str, object], stage: Stage, at_ms: int, *, is_in: bool
) -> None:
    assert (settings(**more).arm_of("1", stage, at_ms) is not None) == is_in


def test_arm_replaces_delay_and_channel() -> None:
    arm = Arm(EXPERIMENT, "later", timedelta(days=1), "whatsapp")
    assigned = replace(FINE, arm=arm, claimed_at_ms=NOW_MS - HOUR_MS)
    assert decide(assigned, ContactSettings(delay=timedelta(0))) == Postpone(23 * HOUR_MS, "delay")
    assert assigned.channel(ContactSettings(channel="call")) == "whatsapp"
    plain = replace(assigned, arm=Arm(EXPERIMENT, "now", timedelta(0)))
    assert decide(plain, ContactSettings(delay=timedelta(hours=5))) == Send()
    assert plain.channel(ContactSettings(channel="call")) == "call"
    without = replace(assigned, arm=Arm(EXPERIMENT, "as_usual"))
    assert decide(without, ContactSettings(delay=timedelta(hours=5))) == Postpone(4 * HOUR_MS, "delay")
    held = replace(assigned, arm=Arm(EXPERIMENT, "holdout"))
    assert decide(held, ContactSettings()) == HoldOut()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"start": None}, "write start = 2026-12-01"),
        ({"arms": {"now": {}}}, "needs 2 to 6 arms, or 1 and a holdout"),
        ({"arms": {}}, "needs 2 to 6 arms"),
        ({"arms": {str(number): {} for number in range(7)}}, "needs 2 to 6 arms"),
        ({"arms": {"a b": {}, "c": {}}}, "'a b' can't be the name of an arm"),
        ({"arms": {"Holdout": {}, "c": {}}}, "'Holdout' can't be the name of an arm"),
        ({"arms": {"a": {"delay": "3d"}, "c": {}}}, "arm a waits as long as orders count"),
        ({"name": "a.b"}, "each a-z, 0-9, _ or -"),
        ({"difference": 0}, "greater than 0"),
    ],
)
def test_experiment_that_can_not_compare_is_refused(more: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(**more)


def test_holdout_of_the_contacts_would_spoil_the_comparison() -> None:
    with pytest.raises(ValueError, match=r"set experiment\.holdout in its place"):
        settings().checked_with(ContactSettings(holdout=5))
    assert settings(name="").checked_with(ContactSettings(holdout=5)).name == ""


# Attempts


def test_person_of_the_later_arm_is_counted_now_and_contacted_later(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        later = with_arm(deps, "later")
        assert attempt(outreach, later).reason == "delay"
        assert arms(state) == {"arm.first.later.people@checkout.web": 1}
        assert record(state, outreach)["history"].splitlines()[-2].endswith("assigned first.later")
        assert server.requests == []
        let_time_pass(state, outreach, DAY_MS)
        assert attempt_again(state, outreach, later).outcome == "sent"
    assert arms(state) == {"arm.first.later.people@checkout.web": 1}


def test_held_out_person_of_an_experiment_is_counted_and_not_contacted(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, server):
        assert attempt(outreach, with_arm(deps, "holdout")).reason == "holdout"
        assert server.requests == []
    assert arms(state) == {"arm.first.holdout.people@checkout.web": 1}
    assert held_by(state) == outreach


def test_person_whom_the_policy_excludes_is_not_assigned(state: State) -> None:
    outreach = dispatched(state)
    state.people.opt_out(PERSON)
    with yuno(state) as (deps, _):
        assert attempt(outreach, with_arm(deps, "now")).reason == "opted_out"
    assert arms(state) == {}


def test_shadow_mode_assigns_no_person(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, _):
        assert attempt(outreach, replace(with_arm(deps, "now"), client=None)).reason == "shadow"
    assert arms(state) == {}


def test_person_counts_once_in_an_experiment(state: State) -> None:
    outreach = dispatched(state)
    with yuno(state) as (deps, _):
        assert attempt(outreach, with_arm(deps, "now")).outcome == "sent"
        let_reservations_age(state, PERSON, 2 * DAY_MS)
        second = abandon(state, "s-2")
        dispatch(state)
        assert attempt(second, with_arm(deps, "now")).outcome == "sent"
    assert arms(state) == {"arm.first.now.people@checkout.web": 1}
    assert record(state, second)["arm"] == "first.now"


def test_person_known_by_address_counts_once(state: State) -> None:
    outreach = dispatched(state, customer={"email": "jane@example.com"})
    with yuno(state) as (deps, _):
        assert attempt(outreach, with_arm(deps, "now")).outcome == "sent"
        customer = {"phone_number": "+573009999999", "email": "jane@example.com"}
        happen(state, event(session="s-2", customer=customer))
    other = taken(state, "s-3")
    people = [person_of("+573009999999", SECRET), person_of("jane@example.com", SECRET)]
    assert state.experiments.assign(other, people, "first.now")
    assert arms(state) == {"arm.first.now.people@checkout.web": 1}
