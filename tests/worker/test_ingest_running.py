"""Ingest as a process that runs until it is stopped."""

from collections.abc import Callable
from typing import Any

import pytest

from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.event_stream import GROUP
from tests.support.events import event
from tests.support.ingest_support import Breaking, Stubborn, ingest_of, publish, rejected, waiting
from tests.support.stored_state import stored
from worker.runtime import State


def run_until(state: State, condition: Callable[[], object], **parts: Any) -> list[float]:  # noqa: ANN401 - of an Ingest
    """Run an ingest process until a condition holds; return the pauses (s) that it took."""
    pauses: list[float] = []
    ingest_of(state, **parts).run(lambda: bool(condition()), pauses.append)
    return pauses


def test_a_running_process_applies_everything_batch_by_batch(state: State) -> None:
    publish(state, *(event(session=f"s-{number}") for number in range(95)))
    assert run_until(state, lambda: waiting(state) == 0, batch=10) == []
    assert all(stored(state, f"s-{number}").activity for number in range(95))


def test_a_stop_leaves_nothing_half_done(state: State) -> None:
    publish(state, *(event(session=f"s-{number}") for number in range(50)))
    rounds = iter([False, False, False, True])
    run_until(state, lambda: next(rounds), batch=10)
    applied = {f"s-{number}" for number in range(50) if stored(state, f"s-{number}").activity}
    assert 30 <= len(applied) <= 40  # with the batch that was being read
    assert waiting(state) == 50 - len(applied)
    run_until(state, lambda: waiting(state) == 0)
    assert all(stored(state, f"s-{number}").activity for number in range(50))


def test_unreachable_server_is_retried_with_growing_pauses(state: State) -> None:
    publish(state, event(session="a"))
    away = Breaking(state.streams, "read", ServerUnavailableError, times=9)
    pauses = run_until(state, lambda: waiting(state) == 0, streams=away)
    assert len(pauses) == 9
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert pauses[-1] == 10
    assert stored(state, "a").activity


@pytest.mark.parametrize("error", [ServerUnavailableError, ServerFullError])
def test_unwritten_batch_is_written_later(state: State, error: type[StateError]) -> None:
    publish(state, *(event(session=f"s-{number}") for number in range(40)))
    failing = Breaking(state.sessions, "send", error, times=2)
    run_until(state, lambda: waiting(state) == 0, sessions=failing, batch=10)
    assert all(stored(state, f"s-{number}").activity for number in range(40))
    assert rejected(state) == []


@pytest.mark.parametrize("error", [ServerUnavailableError, ServerFullError])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("waited", [False, True], ids=["at_once", "waited_for"])
@pytest.mark.parametrize("spared", [0, 2])
@pytest.mark.parametrize(
    ("part", "method"), [("sessions", "send"), ("streams", "send_read"), ("streams", "send_acknowledge")]
)
def test_failure_with_batches_in_flight_loses_nothing(  # noqa: PLR0917 - cases
    state: State,
    part: str,
    method: str,
    spared: int,
    waited: bool,  # noqa: FBT001 - a case
    after: bool,  # noqa: FBT001 - a case
    error: type[StateError],
) -> None:
    publish(state, *(event(session=f"s-{number}") for number in range(50)))
    broken = Breaking(getattr(state, part), method, error, times=2, after=after, waited=waited, spared=spared)
    parts: dict[str, Any] = {part: broken}
    pauses = run_until(state, lambda: waiting(state) == 0, batch=10, **parts)
    assert 1 <= len(pauses) <= 2
    assert all(stored(state, f"s-{number}").activity for number in range(50))
    assert rejected(state) == []
    assert state.streams.first.deliveries("one") == 0


def test_deleted_group_is_recreated_from_the_beginning(state: State) -> None:
    publish(state, event(session="a"))
    ingest = ingest_of(state)
    ingest.step()
    state.client.xgroup_destroy(state.keys.events, GROUP)
    publish(state, event(session="b"))
    ingest.run(lambda: waiting(state) == 0, lambda _: None)
    assert stored(state, "b").activity
    assert [group["name"] for group in state.client.xinfo_groups(state.keys.events)] == [GROUP.encode()]


def test_an_error_that_no_waiting_mends_ends_the_process(state: State) -> None:
    publish(state, event(session="poison"))
    with pytest.raises(StateError):
        run_until(state, lambda: waiting(state) == 0, sessions=Stubborn(state))
    assert waiting(state) == 1


def test_heartbeat_is_sent_at_intervals(state: State) -> None:
    beats: list[int] = []
    ingest = ingest_of(state, heartbeat=lambda: beats.append(1))
    for _ in range(10):
        ingest.step()
    assert beats == [1]
