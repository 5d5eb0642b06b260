"""Ingest that is killed at any of its steps: its successor does the rest, and no connection keeps a reply."""

from collections.abc import Callable
from typing import Any

import pytest

from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.people import PersonFacts
from tests.support.events import JANE, event
from tests.support.ingest_support import Breaking, facts_of, ingest_of, publish, rejected, waiting
from tests.support.stored_state import stored
from worker.ingest.in_flight import Step
from worker.runtime import State

STEPS: tuple[Step, ...] = ("events_read", "events_applied", "people_marked")
MANY = 40


class Killed(BaseException):
    """The end of a process: nothing of it runs any more."""


def killed_at(step: Step, *, after: int) -> Callable[[Step], None]:
    """End the process when it reaches a step for the given time."""
    left = [after]

    def reached(now: Step) -> None:
        left[0] -= now == step
        if left[0] < 0:
            raise Killed

    return reached


def publish_all(state: State) -> None:
    publish(state, *(event(session=f"s-{number}") for number in range(MANY)))
    publish(state, event(customer=JANE), event("order_completed", stage=None), {"type": "unheard of"})


@pytest.mark.parametrize("batch", [7, 100])
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("step", STEPS)
def test_ingest_killed_at_a_step_loses_nothing(state: State, step: Step, after: int, batch: int) -> None:
    publish_all(state)
    first = ingest_of(state, batch=batch, reached=killed_at(step, after=after))
    if batch < MANY or not after:
        with pytest.raises(Killed):
            first.run(lambda: False, lambda _: None)
        assert waiting(state)
    second = ingest_of(state, batch=batch)
    second.run(lambda: waiting(state) == 0, lambda _: None)
    assert all(stored(state, f"s-{number}").activity for number in range(MANY))
    assert facts_of(state, JANE["phone_number"]) == PersonFacts(bought=True)
    assert {field for field, _, _ in rejected(state)} == {"type"}
    assert state.streams.first.deliveries("one") == 0


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("error", [ServerUnavailableError, ServerFullError, StateError])
@pytest.mark.parametrize(
    ("part", "method"),
    [
        ("sessions", "send"),
        ("people", "send_marks"),
        ("streams", "send_read"),
        ("streams", "reject"),
        ("streams", "send_acknowledge"),
    ],
)
def test_error_leaves_no_reply_in_a_connection(
    real_state: State, part: str, method: str, error: type[StateError]
) -> None:
    state, pool = real_state, real_state.client.connection_pool  # type: ignore[union-attr]
    publish_all(state)
    broken: dict[str, Any] = {part: Breaking(getattr(state, part), method, error, times=1)}
    ingest = ingest_of(state, batch=7, **broken)
    taken: list[object] = []
    try:
        ingest.run(lambda: waiting(state) == 0, lambda _: taken.extend(pool._in_use_connections))
    except StateError:
        taken.extend(pool._in_use_connections)
    assert taken == []
    ingest_of(state, batch=7).run(lambda: waiting(state) == 0, lambda _: None)
    assert all(stored(state, f"s-{number}").activity for number in range(MANY))
