"""Arms are assigned once, people are counted once, and orders count with or without a contact."""

from dataclasses import replace

import pytest

from state.attribution import Credit, Money
from tests.support.attempts import PERSON
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.events import JANE
from tests.support.orders import order, order_comes
from tests.support.outreaches import taken
from tests.support.states import EXPERIMENT, WINDOW_MS
from tests.support.stored_state import arms, now_ms, record, ttl_ms
from worker.runtime import State


def test_crash_after_joining_counts_the_person_for_the_same_outreach(state: State) -> None:
    held = taken(state)

    class CrashesError(Exception):
        pass

    def crash(*_args: object) -> bool:
        raise CrashesError

    crashing = type(state.experiments)(state.scripts, state.keys, EXPERIMENT, WINDOW_MS)
    real = state.scripts.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(state.scripts), "run", crash)
        with pytest.raises(CrashesError):
            crashing.assign(held, [PERSON], "first.now")
    assert arms(state) == {}
    assert real is not crash
    assert state.experiments.assign(held, [PERSON], "first.now")
    assert arms(state) == {"arm.first.now.people@checkout.web": 1}


def test_person_counts_for_the_first_outreach(state: State) -> None:
    first, second = taken(state), taken(state, "s-2")
    for held in (first, second):
        assert state.experiments.assign(held, [PERSON], "first.now")
    assert arms(state) == {"arm.first.now.people@checkout.web": 1}
    assert "assigned_at" not in record(state, second.outreach)
    assert state.experiments.joined([PERSON]) == [first.outreach]


def test_arm_is_assigned_once(state: State) -> None:
    held = taken(state)
    assert state.experiments.assign(held, [PERSON], "first.now")
    assert not state.experiments.assign(held, [PERSON], "first.later")
    assert record(state, held.outreach)["arm"] == "first.now"
    assert 0 <= now_ms(state) - int(record(state, held.outreach)["assigned_at"]) < HOUR_MS
    assert arms(state) == {"arm.first.now.people@checkout.web": 1}


def test_lost_outreach_is_not_assigned(state: State) -> None:
    held = taken(state)
    assert not state.experiments.assign(replace(held, token=held.token - 1), [PERSON], "first.now")
    state.outbox.postpone(held, delay_ms=1, why="")
    assert not state.experiments.assign(held, [PERSON], "first.now")
    assert arms(state) == {}


def test_joining_is_remembered_for_half_a_year(state: State) -> None:
    state.experiments.assign(taken(state), [PERSON], "first.now")
    kept_ms = ttl_ms(state, f"{state.keys.person(PERSON)}experiment") or 0
    assert 179 * DAY_MS < kept_ms <= 180 * DAY_MS


def test_person_erased_after_the_take_is_not_joined(state: State) -> None:
    held = taken(state)
    state.client.set(f"{state.keys.person(PERSON)}forgotten", held.now_ms, px=DAY_MS)
    assert state.experiments.assign(held, [PERSON], "first.now")
    assert arms(state) == {}
    assert not state.client.exists(f"{state.keys.person(PERSON)}experiment")


def assigned(state: State, *, ago_ms: int = HOUR_MS) -> str:
    held = taken(state)
    state.experiments.assign(held, [PERSON], "first.later")
    state.client.hset(state.keys.outreach(held.outreach), "assigned_at", now_ms(state) - ago_ms)
    return held.outreach


def test_order_without_a_contact_counts_for_the_arm(state: State) -> None:
    assigned(state)
    order_comes(state, order())
    assert arms(state) == {
        "arm.first.later.people@checkout.web": 1,
        "arm.first.later.orders@checkout.web": 1,
        "arm.first.later.COP@checkout.web": 14_999,
    }


def test_order_in_another_session_counts_for_the_arm(state: State) -> None:
    assigned(state)
    order_comes(state, order("s-9", customer=JANE))
    assert arms(state)["arm.first.later.orders@checkout.web"] == 1


@pytest.mark.parametrize(("at_ms", "counts"), [(-1, False), (0, True), (WINDOW_MS, True), (WINDOW_MS + 1, False)])
def test_order_counts_from_the_assignment_to_the_end_of_the_window(state: State, at_ms: int, *, counts: bool) -> None:
    outreach = assigned(state)
    since_ms = int(record(state, outreach)["assigned_at"])
    assert state.experiments.credit([Credit(outreach, since_ms + at_ms, Money("COP", 5))]) == [counts]
    assert ("arm.first.later.orders@checkout.web" in arms(state)) == counts


def test_better_known_order_replaces_another_and_repeats_change_nothing(state: State) -> None:
    outreach = assigned(state)
    now = now_ms(state)
    unpriced, priced = Credit(outreach, now - 5, None), Credit(outreach, now, Money("COP", 7))
    for credit, counts in ((unpriced, True), (unpriced, False), (priced, True), (priced, False), (unpriced, False)):
        assert state.experiments.credit([credit]) == [counts]
    assert arms(state) == {
        "arm.first.later.people@checkout.web": 1,
        "arm.first.later.orders@checkout.web": 1,
        "arm.first.later.COP@checkout.web": 7,
    }


def test_order_of_an_outreach_that_is_not_counted_changes_nothing(state: State) -> None:
    held = taken(state)
    assert state.experiments.credit([Credit(held.outreach, now_ms(state), None)]) == [False]
