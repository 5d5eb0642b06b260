"""When a session was first and last at each stage, with events in any order."""

from itertools import permutations
from time import time_ns

import pytest

from detectors.sequence import RANK_NAMES
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import Event, apply, arrived, event
from tests.support.stored_state import now_ms, stored, texts
from worker.runtime import State

BEGAN_MS = time_ns() // 1_000_000 - HOUR_MS
Visit = tuple[str, int]
VISITS: list[Visit] = [("cart_review", 0), ("checkout", 1), ("cart_review", 2), ("payment", 3), ("checkout", 4)]


def visit(state: State, *visits: Visit, **fields: object) -> None:
    """Visit stages, each this many minutes after a start an hour ago; each event is applied separately."""
    for stage, minute in visits:
        at_ms = BEGAN_MS + minute * MINUTE_MS
        made: Event = event(stage=stage, occurred_at=at_ms / 1000) | fields
        apply(state, arrived(made, at_ms + SECOND_MS))


def stage_visits(state: State) -> list[tuple[str, int, int]]:
    """Return the stages, with the minutes of the first and last visit."""

    def minute(at_ms: int) -> int:
        return (at_ms - BEGAN_MS) // MINUTE_MS

    return [
        (RANK_NAMES[stay.rank].partition(".")[0], minute(stay.first_ms), minute(stay.last_ms))
        for stay in stored(state).stage_visits
    ]


def kept(state: State) -> dict[str, str]:
    """Return the fields as they are in Redis."""
    return {name: at for name, at in texts(state, state.keys.session("s-1")).items() if name[:5] in {"first", "last."}}


def test_each_place_keeps_when_it_was_first_and_last_reached(state: State) -> None:
    visit(state, *VISITS)
    assert stage_visits(state) == [("cart_review", 0, 2), ("checkout", 1, 4), ("payment", 3, 3)]


def test_activity_at_the_same_stage_extends_the_visit(state: State) -> None:
    visit(state, ("checkout", 0), ("checkout", 5))
    assert stage_visits(state) == [("checkout", 0, 5)]
    assert len(kept(state)) == 1


def test_what_comes_late_was_first_or_last_all_the_same(state: State) -> None:
    visit(state, ("checkout", 2), ("payment", 9))
    visit(state, ("checkout", 1), ("checkout", 5), ("checkout", 4), ("payment", 8), ("payment", 8))
    assert stage_visits(state) == [("checkout", 1, 5), ("payment", 8, 9)]


@pytest.mark.parametrize("fields", [{}, {"customer": {"full_name": "Jane"}}, {"type": "exit"}])
def test_any_order_and_repetition_keeps_the_same(state: State, fields: dict[str, object]) -> None:
    found = []
    for order in permutations(VISITS):
        state.client.flushall()
        visit(state, *order, order[0], **fields)
        found.append((stage_visits(state), kept(state)))
    assert [one for one in found if one != found[0]] == []
    assert found[0][0] == [("cart_review", 0, 2), ("checkout", 1, 4), ("payment", 3, 3)]


def test_event_without_stage_visits_none(state: State) -> None:
    visit(state, ("checkout", 0))
    apply(state, arrived(event("exit", stage=None), now_ms(state)))
    assert stage_visits(state) == [("checkout", 0, 0)]


def test_first_stage_counts_from_the_first_event_that_names_it(state: State) -> None:
    apply(state, arrived(event("exit", stage=None), now_ms(state) - HOUR_MS))
    visit(state, ("checkout", 1))
    assert stage_visits(state) == [("checkout", 1, 1)]
    assert len(kept(state)) == 1
