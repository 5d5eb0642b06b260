"""A server's clock that was put back."""

from typing import Any

import pytest

from tasks.dispatch import dispatch as dispatch_tasks
from tests.support.attempts import deps_of
from tests.support.clock import put_clock_back
from tests.support.control_support import control
from tests.support.durations import DAY_MS, HOUR_MS
from worker.runtime import State

ON_VALKEY = pytest.mark.xdist_group("valkey")


@pytest.fixture(params=[HOUR_MS, 365 * DAY_MS], ids=["an hour", "a year"])
def step_ms(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def notice(state: State) -> None:
    """Let a dispatch notice it."""
    dispatch_tasks(deps_of(state), queued=lambda: 0, enqueue=lambda _: None)


def begin(state: State) -> None:
    """Let a dispatch record the time before the clock is put back."""
    assert control(state).put_back_ms() == 0


def put_back_hashes_and_sets(state: State, by_ms: int) -> None:
    """Put the clock back for everything but the streams, which fakeredis can't."""
    client: Any = state.client
    client.delete(state.keys.events)
    put_clock_back(client, by_ms, namespace=state.keys.namespace)
